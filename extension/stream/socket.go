package stream

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.k6.io/k6/v2/lib/netext"
)

// sink is given what a read brought, and says whether there should be more. It may keep nothing of p.
type sink func(p []byte, a arrival) (more bool)

// feeder is a source of bytes with their arrivals: a socket, or what is inside TLS.
type feeder interface {
	// feed reads, at most limit bytes at a time, until the sink has enough, the connection fails, or ctx is done. io.EOF
	// is the peer's orderly end.
	feed(ctx context.Context, limit int, to sink) error
}

// transport is a connection below HTTP/1.1 and TLS.
type transport interface {
	feeder
	io.WriteCloser
	RemoteAddr() net.Addr
	// interrupt lets a write that waits fail, and a read where feed is not told by its context.
	interrupt()
	notBefore(ns int64)
	// isSilent says whether an idle connection is open and has nothing to read: bytes that nobody asked for, or the
	// peer's end, spoil it for another request.
	isSilent() bool
	// stamps names the source of the arrivals.
	stamps() string
}

// dater dates the reads of one socket.
type dater struct {
	hasKernel bool  // the kernel gives stamps
	last      int64 // the newest stamp so far
	floor     int64 // bytes not yet read came after this
}

// notBefore says that nothing which is read from now on arrived before an instant.
func (d *dater) notBefore(ns int64) {
	d.last = max(d.last, ns)
	d.floor = max(d.floor, ns)
}

func (d *dater) stamps() string {
	if d.hasKernel {
		return "kernel"
	}
	return "go"
}

// arrived dates a read. stamp is the kernel's, 0 if there is none; isFull says that the buffer had no room left.
func (d *dater) arrived(stamp int64, isFull bool) arrival {
	now := time.Now()
	wake := now.UnixNano()
	// A read without a kernel stamp on a socket that has them came before the kernel had begun to stamp.
	exact := !isFull && (stamp != 0 || !d.hasKernel)
	if stamp == 0 || stamp > wake {
		stamp = wake
	}
	// A segment that was sent again may be older than what was read before it; time does not run backwards for that.
	d.last = max(d.last, stamp)
	a := arrival{at: d.last, after: d.floor, wake: max(wake, d.last), exact: exact, since: now.Sub(processStart)}
	if !isFull {
		d.floor = d.last
	}
	return a
}

const readBufferBytes = 16 << 10 // holds a whole TLS record's text

var readBuffers = sync.Pool{New: func() any { return new([readBufferBytes]byte) }}

func takeReadBuffer() *[readBufferBytes]byte {
	return readBuffers.Get().(*[readBufferBytes]byte) //nolint:forcetypeassert // the pool holds nothing else
}

// socket is a connection that k6's dialer has made, read through Go's poller with the arrival of every read.
//
// Only one goroutine reads it at a time. interrupt and Close may come from any.
type socket struct {
	net.Conn
	dater

	received *int64          // the virtual user's count of bytes, nil where k6's own connection counts
	raw      syscall.RawConn // nil where the kernel gives no stamps
	kernel   kernelReceiver

	// What a running feed works with; here and not in a closure, so that a feed allocates nothing.
	buffer  []byte
	sink    sink
	failure error
	ready   func(uintptr) bool
}

// newSocket wraps a connection. k6's dialer counts bytes in a wrapper around a TCP connection, which can't be asked for
// stamps; so the wrapper is taken off for reading, and its counter kept up from here.
func newSocket(conn net.Conn) *socket {
	s := &socket{Conn: conn}
	counted, isCounted := conn.(*netext.Conn)
	tcp, isTCP := unwrapTCP(conn)
	if !isTCP || !isCounted {
		return s
	}
	raw, err := tcp.SyscallConn()
	if err != nil || !s.kernel.enable(raw) {
		return s
	}
	s.raw, s.received, s.hasKernel = raw, counted.BytesRead, true
	s.ready = s.drain
	return s
}

func unwrapTCP(conn net.Conn) (*net.TCPConn, bool) {
	if counted, ok := conn.(*netext.Conn); ok {
		conn = counted.Conn
	}
	tcp, ok := conn.(*net.TCPConn)
	return tcp, ok
}

// longAgo is a deadline that lets every read and write return at once.
var longAgo = time.Unix(1, 0)

func (s *socket) interrupt() { _ = s.SetDeadline(longAgo) }

// feed takes a buffer for as long as it reads. It ends with an interrupt; ctx says nothing to it.
//
// With kernel stamps all of it happens in one visit to Go's poller: the reader parks there, and wakes in drain.
func (s *socket) feed(_ context.Context, limit int, to sink) error {
	storage := takeReadBuffer()
	defer readBuffers.Put(storage)
	return s.feedInto(storage[:min(limit, len(storage))], to)
}

func (s *socket) feedInto(buffer []byte, to sink) error {
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
			s.failure = readError(s.LocalAddr(), s.RemoteAddr(), err)
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

// readError is what net would say.
func readError(local, remote net.Addr, err syscall.Errno) error {
	return &net.OpError{Op: "read", Net: "tcp", Source: local, Addr: remote, Err: err}
}

func (s *socket) feedPlain(buffer []byte, to sink) error {
	for {
		n, err := s.Read(buffer)
		if n > 0 && !to(buffer[:n], s.arrived(0, n == len(buffer))) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *socket) isSilent() bool {
	if s.raw == nil {
		return isSilentPlain(s.Conn)
	}
	silent := false
	err := s.raw.Read(func(fd uintptr) bool {
		silent = isSilent(fd)
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

var _ transport = (*socket)(nil)
