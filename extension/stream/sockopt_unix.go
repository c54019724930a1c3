//go:build unix

package stream

import "syscall"

// receiveBufferControl sets a socket's receive buffer before it connects.
func receiveBufferControl(
	size int, before func(string, string, syscall.RawConn) error,
) func(string, string, syscall.RawConn) error {
	return func(network, address string, raw syscall.RawConn) error {
		if before != nil {
			if err := before(network, address, raw); err != nil {
				return err
			}
		}
		return raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, size)
		})
	}
}
