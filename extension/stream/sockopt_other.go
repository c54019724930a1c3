//go:build !unix

package stream

import "syscall"

// receiveBufferControl can set nothing here before the connection stands; dialTCP sets it afterwards.
func receiveBufferControl(
	_ int, before func(string, string, syscall.RawConn) error,
) func(string, string, syscall.RawConn) error {
	return before
}
