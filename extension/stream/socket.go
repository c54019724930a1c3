package stream

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"go.k6.io/k6/v2/lib/netext"
)

// socket is one connection that k6's dialer has made, read with the arrival of every read.
//
// Only one goroutine reads it at a time. Deadlines and Close may come from any.
type socket struct {
	net.Conn
	received *int64          // the virtual user's count of bytes, nil where k6's own connection counts
	raw      syscall.RawConn // nil where the kernel gives no stamps
	kernel   kernelReceiver

	last  int64 // the newest stamp so far
	floor int64 // bytes not yet read came after this

	// What a running feed works with; here and not in a closure, so that a feed allocates nothing.
	buffer  []byte
	sink    func([]byte, arrival) bool
	failure error
	ready   func(uintptr) bool
}

// sink is given what a read brought, and says whether there should be more. It may keep nothing of p.
type sink func(p []byte, a arrival) (more bool)

// newSocket wraps a connection. k6's dialer counts bytes in a wrapper around a TCP connection, which can't be asked for
// stamps; so the wrapper is taken off for reading, and its counter kept up from here.
func newSocket(conn net.Conn) *socket {
	s := &socket{Conn: conn}
	tcp, isTCP := conn.(*net.TCPConn)
	if counted, ok := conn.(*netext.Conn); ok {
		if tcp, isTCP = counted.Conn.(*net.TCPConn); isTCP {
			s.received = counted.BytesRead
		}
	}
	if !isTCP {
		return s
	}
	raw, err := tcp.SyscallConn()
	if err != nil || !s.kernel.enable(raw) {
		s.received = nil
		return s
	}
	s.raw = raw
	s.ready = s.drain
	return s
}

// stamps names the source of the arrivals.
func (s *socket) stamps() string {
	if s.raw != nil {
		return "kernel"
	}
	return "go"
}

// notBefore says that nothing which is read from now on arrived before an instant.
func (s *socket) notBefore(ns int64) {
	s.last = max(s.last, ns)
	s.floor = max(s.floor, ns)
}

// feed reads until the sink has enough or the connection fails; io.EOF is the peer's orderly end.
//
// With kernel stamps all of it happens in one visit to Go's poller: the reader parks there, and wakes in drain.
func (s *socket) feed(buffer []byte, to sink) error {
	if s.raw == nil {
		return s.feedPlain(buffer, to)
	}
	s.buffer, s.sink, s.failure = buffer, to, nil
	err := s.raw.Read(s.ready)
	s.buffer, s.sink = nil, nil
	if err != nil {
		return err
	}
	return s.failure
}

// drain takes all that is in the socket. It returns true when the feed is over.
func (s *socket) drain(fd uintptr) bool {
	for {
		n, stamp, err := s.kernel.receive(fd, s.buffer)
		switch {
		case err == syscall.EAGAIN:
			return false
		case err != 0:
			s.failure = &net.OpError{Op: "read", Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: err}
			return true
		case n == 0:
			s.failure = io.EOF
			return true
		}
		atomic.AddInt64(s.received, int64(n))
		if !s.sink(s.buffer[:n], s.arrived(stamp, n == len(s.buffer))) {
			return true
		}
	}
}

func (s *socket) feedPlain(buffer []byte, to sink) error {
	for {
		n, err := s.Conn.Read(buffer)
		if n > 0 && !to(buffer[:n], s.arrived(0, n == len(buffer))) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// arrived dates a read. stamp is the kernel's, 0 if there is none; isFull says that the buffer had no room left.
func (s *socket) arrived(stamp int64, isFull bool) arrival {
	now := time.Now()
	wake := now.UnixNano()
	// A read without a kernel stamp on a socket that has them came before the kernel had begun to stamp.
	exact := !isFull && (stamp != 0 || s.raw == nil)
	if stamp == 0 || stamp > wake {
		stamp = wake
	}
	// A segment that was sent again may be older than what was read before it; time does not run backwards for that.
	s.last = max(s.last, stamp)
	a := arrival{at: s.last, after: s.floor, wake: max(wake, s.last), exact: exact, since: now.Sub(processStart)}
	if !isFull {
		s.floor = s.last
	}
	return a
}

// isSilent says whether an idle connection is open and has nothing to read: bytes that nobody asked for, or the peer's
// end, spoil it for another request.
func (s *socket) isSilent() bool {
	if s.raw == nil {
		return isSilentPlain(s.Conn)
	}
	silent := false
	err := s.raw.Read(func(fd uintptr) bool {
		silent = s.kernel.isSilent(fd)
		return true
	})
	return err == nil && silent
}

// isSilentPlain asks by a read that has next to no time. A byte that it takes is lost, and the connection with it.
func isSilentPlain(conn net.Conn) bool {
	var one [1]byte
	if conn.SetReadDeadline(time.Now().Add(100*time.Microsecond)) != nil {
		return false
	}
	_, err := conn.Read(one[:])
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout() && conn.SetReadDeadline(time.Time{}) == nil
}
