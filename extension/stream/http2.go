package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// http2Conn is a connection that speaks HTTP/2. It carries any number of exchanges at a time.
type http2Conn struct {
	socket *socket
	tap    *http2Tap
	client *http2.ClientConn

	opening chan struct{} // held from before a request until its stream is open, so that the tap knows which it is
}

// newHTTP2Conn greets the peer. receiveBuffer limits the window of a stream, 0 = the client's own.
func newHTTP2Conn(s *socket, conn *tls.Conn, records *recordConn, receiveBuffer int) (*http2Conn, error) {
	settings := &http.Transport{DisableCompression: true}
	if receiveBuffer > 0 {
		settings.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: receiveBuffer}
	}
	transport, err := http2.ConfigureTransports(settings)
	if err != nil {
		return nil, err
	}
	c := &http2Conn{socket: s, tap: newHTTP2Tap(conn, records), opening: make(chan struct{}, 1)}
	if c.client, err = transport.NewClientConn(c.tap); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *http2Conn) isUsable() bool { return c.client.CanTakeNewRequest() }

// isFull says that it carries as many exchanges as the peer allows.
func (c *http2Conn) isFull() bool {
	state := c.client.State()
	return !state.Closed && !state.Closing && state.StreamsActive > 0
}

func (c *http2Conn) isIdle() bool { return c.client.State().StreamsActive == 0 }

func (c *http2Conn) close() { _ = c.client.Close() }

// retire closes the connection once it carries nothing.
func (c *http2Conn) retire() {
	c.client.SetDoNotReuse()
	if c.isIdle() {
		c.close()
	}
}

// exchange sends the request and reads the response, as http1Conn's. A stream that fails leaves the connection as it is.
func (c *http2Conn) exchange(e *exchange, req *http.Request) (isReusable bool, err error) {
	began := time.Now().UnixNano()
	response, stream, err := c.roundTrip(e, req)
	if stream != 0 {
		defer c.leave(e, stream)
	}
	if err == nil {
		err = c.receive(e, response, stream, began)
		_ = response.Body.Close()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cause == "" && c.client.CanTakeNewRequest(), err
}

// leave forgets a stream, and keeps when its request was sent.
func (c *http2Conn) leave(e *exchange, stream uint32) {
	c.tap.mu.Lock()
	written := int64(0)
	if s := c.tap.streams[stream]; s != nil {
		written = s.written
	}
	delete(c.tap.streams, stream)
	c.tap.mu.Unlock()
	e.mu.Lock()
	e.times.written = written
	e.mu.Unlock()
}

// roundTrip sends the request and waits for the head of the response.
func (c *http2Conn) roundTrip(e *exchange, req *http.Request) (*http.Response, uint32, error) {
	select {
	case c.opening <- struct{}{}:
	case <-e.ctx.Done():
		return nil, 0, e.ctx.Err()
	}
	opened := make(chan uint32, 1)
	release := sync.OnceFunc(func() { <-c.opening })
	trace := &httptrace.ClientTrace{
		WroteHeaders: func() {
			c.tap.mu.Lock()
			id := c.tap.newest
			c.tap.mu.Unlock()
			release()
			opened <- id
		},
	}
	response, err := c.client.RoundTrip(req.WithContext(httptrace.WithClientTrace(e.ctx, trace)))
	if err != nil {
		release()
		select {
		case id := <-opened:
			return nil, id, err
		default:
			return nil, 0, fmt.Errorf("%w: %w", errNothingSent, err)
		}
	}
	return response, <-opened, nil // the hook runs at the latest right after the headers were sent
}

// receive reads the response.
func (c *http2Conn) receive(e *exchange, response *http.Response, id uint32, began int64) error {
	c.tap.mu.Lock()
	stream := c.tap.streams[id]
	if stream == nil {
		stream = &tapStream{}
	}
	headers := stream.headers.at
	c.tap.mu.Unlock()
	e.mu.Lock()
	e.times.firstResponse = headers
	e.onHeadLocked(response.StatusCode, response.Header, response.Proto, headers)
	wake := e.wakeLocked()
	e.mu.Unlock()
	if wake != nil {
		wake(e.deliver)
	}

	storage := takeReadBuffer()
	defer readBuffers.Put(storage)
	buffer := storage[:min(len(storage), e.readLimit())]
	reader := http2Body{tap: c.tap, stream: stream, began: began}
	for {
		n, err := response.Body.Read(buffer)
		if n > 0 {
			if limitErr := reader.accept(e, buffer[:n]); limitErr != nil {
				return limitErr
			}
		}
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			c.tap.mu.Lock()
			e.times.end = max(stream.end.at, headers)
			c.tap.mu.Unlock()
			return nil
		}
		if err != nil {
			return err
		}
		if !e.withhold(n) {
			return e.ctx.Err()
		}
	}
}

// http2Body dates what is read of a stream's body.
type http2Body struct {
	tap      *http2Tap
	stream   *tapStream
	began    int64
	received int64
	pending  []tapData
}

// accept keeps bytes of the body. They may be of several DATA frames, each with its arrival.
func (b *http2Body) accept(e *exchange, p []byte) error {
	end := b.received + int64(len(p))
	b.tap.mu.Lock()
	b.pending = append(b.pending, b.stream.data...)
	b.stream.data = b.stream.data[:0]
	b.tap.mu.Unlock()

	e.mu.Lock()
	defer func() {
		wake := e.wakeLocked()
		e.mu.Unlock()
		if wake != nil {
			wake(e.deliver)
		}
	}()
	if e.cause != "" {
		return context.Canceled
	}
	for b.received < end && len(b.pending) > 0 {
		next := b.pending[0]
		a := next.arrival
		a.after = max(a.after, min(b.began, a.at))
		upTo := min(next.end, end)
		a.exact = a.exact && upTo == next.end
		n := int(upTo - b.received)
		if limit := e.spec.maxBytes; limit >= 0 && upTo > limit {
			e.framer.append(p[:limit-b.received])
			e.onDataLocked(limit, a)
			return errTooLarge
		}
		e.framer.append(p[:n])
		p = p[n:]
		b.received = upTo
		e.onDataLocked(b.received, a)
		if upTo == next.end {
			b.pending = b.pending[1:]
		}
	}
	if len(b.pending) == 0 {
		b.pending = b.pending[:0:0]
	}
	if b.received < end {
		return fmt.Errorf("%w: data without a frame", errUnreadable)
	}
	return nil
}
