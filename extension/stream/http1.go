package stream

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/net/http/httpguts"
)

const (
	maxHeadBytes = 1 << 20
	// A request up to this size goes into the socket's own buffer. A larger one is written while the response is read.
	inlineBytes = 16 << 10
)

var errHeadTooLarge = errors.New("the response's headers have more than 1 MiB")

// http1Conn is a connection that speaks HTTP/1.1: one exchange at a time.
type http1Conn struct {
	socket   transport
	tls      *tls.Conn // nil without TLS
	source   feeder
	proxied  *proxyForm // set where requests go to a proxy in their absolute form
	isReused bool
}

func (c *http1Conn) write(p []byte) (int, error) {
	if c.tls != nil {
		return c.tls.Write(p)
	}
	return c.socket.Write(p)
}

func (c *http1Conn) close() {
	if c.tls != nil {
		_ = c.tls.Close() // says goodbye, with a deadline of its own
		return
	}
	_ = c.socket.Close()
}

// isUsable says whether an idle connection is still open and silent.
func (c *http1Conn) isUsable() bool { return c.socket.isSilent() }

// exchange sends the request and reads the response. isReusable says that the connection may carry another one.
func (c *http1Conn) exchange(e *exchange, req *http.Request) (isReusable bool, err error) {
	if !e.attach(c.socket) {
		return false, e.ctx.Err()
	}
	written := c.send(e, req)
	r := &http1Reader{e: e, request: req, body: body{limit: e.spec.maxBytes}}
	err = c.receive(r)
	isReusable = e.detach() && err == nil && r.isReusable()
	if !isReusable {
		c.socket.interrupt() // ends a writer that is still at it
	}
	writeErr := <-written
	if err != nil && r.isUntouched() && writeErr != nil && !errors.Is(err, errUnreadable) {
		err = writeErr // the peer hung up while we wrote, and said nothing
	}
	if writeErr != nil {
		isReusable = false
	}
	c.isReused = true
	return isReusable, err
}

// send writes the request, and tells of the result once.
func (c *http1Conn) send(e *exchange, req *http.Request) <-chan error {
	result := make(chan error, 1)
	var buffer bytes.Buffer
	var err error
	if c.proxied != nil {
		err = c.proxied.write(req, &buffer)
	} else {
		err = req.Write(&buffer)
	}
	if err != nil {
		result <- fmt.Errorf("%w: %w", errUnsendable, err)
		return result
	}
	c.socket.notBefore(time.Now().UnixNano())
	write := func() {
		_, err := c.write(buffer.Bytes())
		if err == nil {
			now := time.Now().UnixNano()
			e.mu.Lock()
			e.times.written = now
			e.mu.Unlock()
		}
		result <- err
	}
	if buffer.Len() <= inlineBytes {
		write()
	} else {
		go write()
	}
	return result
}

// receive feeds the reader until the response is at its end.
func (c *http1Conn) receive(r *http1Reader) error {
	limit := r.e.readLimit()
	for {
		r.taken = 0
		err := c.source.feed(r.e.ctx, limit, r.consume)
		if r.err != nil {
			return r.err
		}
		if r.isDone() {
			return nil
		}
		if err != nil {
			return r.atEnd(err)
		}
		if !r.e.withhold(r.taken) {
			return r.e.ctx.Err()
		}
	}
}

// http1Reader reads one response, in whatever pieces it comes.
type http1Reader struct {
	e        *exchange
	request  *http.Request
	headText []byte
	response *http.Response // nil until the head is whole
	body     body
	touched  bool // a byte has come
	taken    int  // bytes since the feed began
	isOver   bool // the response is at its end
	leftover bool // the peer has sent more than the response
	err      error
}

func (r *http1Reader) isDone() bool      { return r.isOver }
func (r *http1Reader) isUntouched() bool { return !r.touched }

func (r *http1Reader) isReusable() bool {
	return r.isOver && !r.leftover && !r.response.Close && !r.request.Close && r.body.kind != bodyToClose
}

// consume is the sink of the connection's feed.
func (r *http1Reader) consume(p []byte, a arrival) bool {
	e := r.e
	e.mu.Lock()
	more := e.cause == "" && r.consumeLocked(p, a)
	wake := e.wakeLocked()
	e.mu.Unlock()
	if wake != nil {
		wake(e.deliver)
	}
	r.taken += len(p)
	return more && e.spec.bytesPerSecond == 0
}

func (r *http1Reader) consumeLocked(p []byte, a arrival) bool {
	if !r.touched {
		r.touched = true
		r.e.times.firstResponse = a.at
	}
	for r.response == nil {
		rest, isWhole := r.readHead(p, a)
		if !isWhole {
			return r.err == nil
		}
		p = rest
	}
	if len(p) == 0 && !r.body.done {
		return true
	}
	before := r.body.received
	used, lastIsData, err := r.body.read(p, &r.e.framer)
	if r.body.received > before {
		a.exact = a.exact && lastIsData
		r.e.onDataLocked(r.body.received, a)
	}
	r.err = err
	if r.body.done {
		r.isOver, r.leftover = true, used < len(p)
		r.e.times.end = a.at
	}
	return err == nil && !r.isOver
}

// readHead gathers lines up to the empty one. rest is what follows it; isWhole is false as long as it has not come.
func (r *http1Reader) readHead(p []byte, a arrival) (rest []byte, isWhole bool) {
	known := len(r.headText)
	r.headText = append(r.headText, p...)
	end := headEnd(r.headText, max(0, known-3))
	if end < 0 {
		if len(r.headText) > maxHeadBytes {
			r.err = errHeadTooLarge
		}
		return nil, false
	}
	rest = p[end-known:]
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(r.headText[:end])), r.request)
	r.headText = r.headText[:0]
	switch {
	case err != nil:
		r.err = fmt.Errorf("%w: %w", errUnreadable, err)
		return nil, false
	case response.StatusCode == http.StatusSwitchingProtocols:
		r.err = fmt.Errorf("%w: unsupported status %s", errUnreadable, response.Status)
		return nil, false
	case response.StatusCode < http.StatusOK:
		return r.readHead(rest, a) // 100 Continue, 103 Early Hints: the response is still to come
	}
	r.response = response
	r.openBody()
	r.e.onHeadLocked(response.StatusCode, response.Header, response.Proto, a.at)
	if r.body.done {
		r.isOver, r.leftover = true, len(rest) > 0
		r.e.times.end = a.at
	}
	return rest, true
}

// openBody says how long the body is.
func (r *http1Reader) openBody() {
	status := r.response.StatusCode
	hasNone := r.request.Method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
	switch {
	case hasNone || r.response.ContentLength == 0:
		r.body.done = true
	case httpguts.HeaderValuesContainsToken(r.response.TransferEncoding, "chunked"):
		r.body.kind = bodyChunked
	case r.response.ContentLength > 0:
		r.body.remaining = r.response.ContentLength
	default:
		r.body.kind = bodyToClose
	}
}

// headEnd is where a head ends, behind its empty line; -1 if that has not come. Nothing before from needs to be looked at.
func headEnd(p []byte, from int) int {
	for i := from; i < len(p); i++ {
		if p[i] != '\n' {
			continue
		}
		if i+1 < len(p) && p[i+1] == '\n' {
			return i + 2
		}
		if i+2 < len(p) && p[i+1] == '\r' && p[i+2] == '\n' {
			return i + 3
		}
	}
	return -1
}

// atEnd says what the end of the connection, or its failure, means.
func (r *http1Reader) atEnd(err error) error {
	if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if r.response == nil {
		return io.ErrUnexpectedEOF
	}
	if err := r.body.atEnd(); err != nil {
		return err
	}
	r.isOver = true
	r.e.times.end = time.Now().UnixNano()
	return nil
}
