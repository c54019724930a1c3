//go:build linux && (amd64 || arm64 || riscv64)

package stream

import (
	"encoding/binary"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelReceiver reads a socket with the kernel's receive stamps (SO_TIMESTAMPING, software). Needs no privilege.
type kernelReceiver struct {
	message unix.Msghdr
	vector  unix.Iovec
	control [128]byte
}

const timestampFlags = unix.SOF_TIMESTAMPING_RX_SOFTWARE | unix.SOF_TIMESTAMPING_SOFTWARE

// stampingStays keeps the kernel stamping for as long as the process lives. It starts with the first socket that asks
// and stops with the last one, each time a little late and by patching its own code, which costs every core.
var stampingStays = sync.OnceFunc(func() {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, timestampFlags)
})

// enable asks the socket for stamps, and says whether it agreed.
func (k *kernelReceiver) enable(raw syscall.RawConn) bool {
	stampingStays()
	var refused error
	err := raw.Control(func(fd uintptr) {
		refused = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPING, timestampFlags)
	})
	return err == nil && refused == nil
}

// receive makes one recvmsg. stamp is in nanoseconds since 1970, 0 if the kernel gave none.
//
// The socket never blocks, so this is a raw system call: the scheduler need not be told of a wait.
func (k *kernelReceiver) receive(fd uintptr, p []byte) (n int, stamp int64, err syscall.Errno) {
	k.vector.Base = unsafe.SliceData(p)
	k.vector.SetLen(len(p))
	k.message.Iov = &k.vector
	k.message.SetIovlen(1)
	for {
		k.message.Control = &k.control[0]
		k.message.SetControllen(len(k.control))
		count, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&k.message)), 0)
		if errno == unix.EINTR {
			continue
		}
		k.vector.Base = nil
		if errno != 0 {
			return 0, 0, errno
		}
		return int(count), k.stamp(), 0
	}
}

// stamp reads the control message: its header (length, level, type: 16 bytes), then a timespec.
func (k *kernelReceiver) stamp() int64 {
	const header, timespec = unix.SizeofCmsghdr, 16
	if k.message.Controllen < header+timespec {
		return 0
	}
	level := int32(binary.NativeEndian.Uint32(k.control[8:]))
	kind := int32(binary.NativeEndian.Uint32(k.control[12:]))
	if level != unix.SOL_SOCKET || kind != unix.SCM_TIMESTAMPING {
		return 0
	}
	seconds := int64(binary.NativeEndian.Uint64(k.control[header:]))
	nanoseconds := int64(binary.NativeEndian.Uint64(k.control[header+8:]))
	return seconds*1e9 + nanoseconds
}

// isSilent looks into the socket and takes nothing: it is open and empty, or it is not.
func isSilent(fd uintptr) bool {
	var one [1]byte
	_, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return err == unix.EAGAIN //nolint:errorlint // a system call's own number
}
