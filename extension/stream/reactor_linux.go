//go:build linux && (amd64 || arm64 || riscv64)

package stream

import (
	"context"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"go.k6.io/k6/v2/lib/netext"
	"golang.org/x/sys/unix"
)

// reactor reads many sockets in one go.
//
// A goroutine for each socket, parked in Go's poller, costs a wake-up for each event: a run queue, often another thread
// to be woken and sent back to sleep. Here one goroutine takes all that is ready at once, by an epoll instance of its own.
//
// Where scripts keep all cores busy, that goroutine gets its turn late: it is one among hundreds. So whoever has a core
// may do its work, and scripts do between two continuations (readNow). The goroutine itself only waits for there to be
// something, and leaves it where it is until it runs.
//
// Sockets are edge-triggered and never asked twice: a read that leaves room in its buffer has emptied the socket, and
// whatever comes later is a new edge. Only the end of a connection makes no edge of its own if it came with data; then
// the event says so, and the socket is read up to it.
type reactor struct {
	fd int

	working sync.Mutex // held by who reads
	buffer  [readBufferBytes]byte
	events  [128]unix.EpollEvent

	mu      sync.Mutex
	sockets []*polledSocket // by file descriptor
}

const endOfConnection = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR

// reactors are as many as the cores can feed, which is one for four of them.
var reactors = sync.OnceValue(func() []*reactor {
	var all []*reactor
	for range max(1, runtime.NumCPU()/4) {
		if r, err := newReactor(); err == nil {
			all = append(all, r)
		}
	}
	hasReactors.Store(len(all) > 0)
	return all
})

var (
	nextReactor atomic.Uint32
	hasReactors atomic.Bool
)

// readNow reads what has come on any socket, unless somebody is at it.
func readNow() {
	if !hasReactors.Load() {
		return
	}
	for _, r := range reactors() {
		if r.working.TryLock() {
			r.work()
			r.working.Unlock()
		}
	}
}

func newReactor() (*reactor, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	r := &reactor{fd: fd}
	go r.run()
	return r, nil
}

// run works for ever. It waits in a system call of its own and not in Go's poller: a wake-up then costs no search for
// work and no other thread. The runtime takes its place back while it waits.
func (r *reactor) run() {
	something := []unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}} //nolint:gosec // small
	for {
		if _, err := unix.Poll(something, -1); err != nil {
			continue // EINTR
		}
		for isMore := true; isMore; {
			r.working.Lock()
			isMore = r.work()
			r.working.Unlock()
		}
	}
}

// work handles the events there are. isMore says that it stopped before their end.
func (r *reactor) work() (isMore bool) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(r.fd),
		uintptr(unsafe.Pointer(&r.events)), uintptr(len(r.events)), 0, 0, 0) // returns at once
	if errno != 0 {
		return errno == unix.EINTR
	}
	for i := range r.events[:n] {
		if s := r.find(r.events[i].Fd); s != nil {
			s.onEvent(r.buffer[:], r.events[i].Events&endOfConnection != 0)
		}
	}
	return int(n) == len(r.events)
}

func (r *reactor) find(fd int32) *polledSocket {
	r.mu.Lock()
	defer r.mu.Unlock()
	if int(fd) < len(r.sockets) {
		return r.sockets[fd]
	}
	return nil
}

func (r *reactor) add(s *polledSocket) error {
	r.mu.Lock()
	for len(r.sockets) <= s.fd {
		r.sockets = append(r.sockets, nil)
	}
	r.sockets[s.fd] = s
	r.mu.Unlock()
	return unix.EpollCtl(r.fd, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET&(1<<32-1), Fd: int32(s.fd), //nolint:gosec // small
	})
}

func (r *reactor) remove(s *polledSocket) {
	_ = unix.EpollCtl(r.fd, unix.EPOLL_CTL_DEL, s.fd, nil)
	r.mu.Lock()
	r.sockets[s.fd] = nil
	r.mu.Unlock()
}

// polledSocket is a TCP socket that a reactor reads.
type polledSocket struct {
	dater
	kernel         kernelReceiver
	fd             int
	reactor        *reactor
	local, remote  net.Addr
	received, sent *int64 // the virtual user's counts of bytes
	isInterrupted  atomic.Bool
	done           chan error

	mu     sync.Mutex // held while the socket is read
	sink   sink       // nil while nobody reads
	limit  int
	closed bool
}

// newPolledSocket takes a connection of k6's dialer from Go's poller into a reactor. If that can't be, conn is as it was.
func newPolledSocket(conn net.Conn) (*polledSocket, bool) {
	counted, isCounted := conn.(*netext.Conn)
	tcp, isTCP := unwrapTCP(conn)
	if !isCounted || !isTCP || len(reactors()) == 0 {
		return nil, false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, false
	}
	s := &polledSocket{
		local: conn.LocalAddr(), remote: conn.RemoteAddr(), received: counted.BytesRead, sent: counted.BytesWritten,
		done: make(chan error, 1), fd: -1,
	}
	s.hasKernel = s.kernel.enable(raw)
	_ = raw.Control(func(fd uintptr) {
		if own, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			s.fd = own
		}
	})
	if s.fd < 0 {
		return nil, false
	}
	s.reactor = reactors()[int(nextReactor.Add(1))%len(reactors())]
	if err := s.reactor.add(s); err != nil {
		s.reactor.remove(s)
		_ = unix.Close(s.fd)
		return nil, false
	}
	_ = tcp.Close() // Go's own descriptor; the connection lives on in ours
	return s, true
}

func (s *polledSocket) RemoteAddr() net.Addr { return s.remote }

func (s *polledSocket) interrupt() { s.isInterrupted.Store(true) }

func (s *polledSocket) isSilent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed && isSilent(uintptr(s.fd))
}

// feed lets the reactor read, and waits until that is over.
func (s *polledSocket) feed(ctx context.Context, limit int, to sink) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.sink, s.limit = to, limit
	// What came while nobody read made its edge then.
	storage := takeReadBuffer()
	isOver, err := s.drain(storage[:], true)
	readBuffers.Put(storage)
	if isOver {
		s.sink = nil
	}
	s.mu.Unlock()
	if isOver {
		return err
	}
	select {
	case err := <-s.done:
		return err
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sink = nil
	select {
	case err := <-s.done: // it was over in the same moment
		return err
	default:
		return ctx.Err()
	}
}

// onEvent is called by the reactor.
func (s *polledSocket) onEvent(buffer []byte, toItsEnd bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sink == nil || s.closed {
		return
	}
	if isOver, err := s.drain(buffer, toItsEnd); isOver {
		s.sink = nil
		s.done <- err
	}
}

// drain takes what is in the socket: until it is empty or, toItsEnd, until it says so itself. isOver says that the feed
// is at its end.
func (s *polledSocket) drain(buffer []byte, toItsEnd bool) (isOver bool, err error) {
	buffer = buffer[:min(len(buffer), s.limit)]
	for {
		n, stamp, errno := s.kernel.receive(uintptr(s.fd), buffer)
		switch {
		case errno == unix.EAGAIN:
			return false, nil
		case errno != 0:
			return true, readError(s.local, s.remote, errno)
		case n == 0:
			return true, io.EOF
		}
		atomic.AddInt64(s.received, int64(n))
		isFull := n == len(buffer)
		if !s.sink(buffer[:n], s.arrived(stamp, isFull)) {
			return true, nil
		}
		if !isFull && !toItsEnd {
			return false, nil
		}
	}
}

// Write sends all of p. It waits where the peer takes nothing, which blocks a thread, but only for requests that are
// larger than the socket's buffer.
func (s *polledSocket) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n, err := unix.SendmsgN(s.fd, p[written:], nil, nil, unix.MSG_NOSIGNAL)
		if n > 0 {
			written += n
			atomic.AddInt64(s.sent, int64(n))
		}
		switch {
		case s.isInterrupted.Load():
			return written, os.ErrDeadlineExceeded
		case err == unix.EAGAIN: //nolint:errorlint // a system call's own number
			poll := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}} //nolint:gosec // small
			_, _ = unix.Poll(poll, 20)
		case err != nil && err != unix.EINTR: //nolint:errorlint // a system call's own number
			return written, &net.OpError{Op: "write", Net: "tcp", Source: s.local, Addr: s.remote, Err: err}
		}
	}
	return written, nil
}

func (s *polledSocket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed = true
	s.reactor.remove(s)
	return unix.Close(s.fd)
}

var _ transport = (*polledSocket)(nil)
