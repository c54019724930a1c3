//go:build !(linux && (amd64 || arm64 || riscv64))

package stream

import "syscall"

// kernelReceiver is never enabled here: arrivals are stamped in user space.
type kernelReceiver struct{}

func (*kernelReceiver) enable(syscall.RawConn) bool { return false }

func (*kernelReceiver) receive(uintptr, []byte) (n int, stamp int64, err syscall.Errno) {
	return 0, 0, syscall.EINVAL
}

func isSilent(uintptr) bool { return false }
