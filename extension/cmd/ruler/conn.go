//go:build unix

package main

import (
	"net"
	"syscall"
	"time"
)

// conn writes to a socket itself, one system call for each Write, and knows when the peer did not take it.
type conn struct {
	*net.TCPConn
	raw     syscall.RawConn
	rest    []byte
	err     error
	step    func(fd uintptr) bool
	blocked []int64 // pairs of nanoseconds since 1970: no room, room again
	waits   bool
}

func newConn(tcp *net.TCPConn) (*conn, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &conn{TCPConn: tcp, raw: raw}
	c.step = c.writeOnce
	return c, nil
}

// Write writes all of p, and waits where the peer does not read. One writer at a time.
func (c *conn) Write(p []byte) (int, error) {
	c.rest, c.err = p, nil
	err := c.raw.Write(c.step)
	if c.waits {
		c.waits = false
		c.blocked = append(c.blocked, time.Now().UnixNano())
	}
	if err == nil {
		err = c.err
	}
	return len(p) - len(c.rest), err
}

// writeOnce reports whether the write is over; if not, it is called again once the socket has room.
func (c *conn) writeOnce(fd uintptr) bool {
	for len(c.rest) > 0 {
		n, err := syscall.Write(int(fd), c.rest)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			if !c.waits {
				c.waits = true
				c.blocked = append(c.blocked, time.Now().UnixNano())
			}
			return false
		case err != nil:
			c.err = err
			return true
		default:
			c.rest = c.rest[n:]
		}
	}
	return true
}

// takeBlocked hands over the pairs since the last call.
func (c *conn) takeBlocked() []int64 {
	blocked := c.blocked
	c.blocked = nil
	return blocked
}
