package stream

import (
	"context"
	"math"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/grafana/sobek"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/metrics"
)

// times are the instants of an exchange, in nanoseconds since 1970; 0 = did not happen.
type times struct {
	start, dns, connectStart, connect, tls, got, written, firstResponse, headers, firstByte, end int64
}

// writtenBy is when the request had surely been written. The writer's own stamp is taken after its system call, which on
// a busy machine may return after the peer has answered: the kernel's stamp of the answer is then the tighter bound.
func (t times) writtenBy() int64 {
	if t.firstResponse != 0 && t.firstResponse < t.written {
		return t.firstResponse
	}
	return t.written
}

// head is the beginning of a response.
type head struct {
	status   int
	header   http.Header
	protocol string
}

// exchange is one request and its response, between the goroutine that transfers it and the virtual user's script.
type exchange struct {
	in    *instance
	spec  *spec
	state *lib.State
	tags  metrics.TagsAndMeta
	vuCtx context.Context //nolint:containedctx // the iteration's; an exchange lives in it

	ctx    context.Context //nolint:containedctx // of what can be cancelled: dialling, TLS, HTTP/2
	cancel context.CancelFunc

	// Written by the goroutine of the transfer alone, until it has ended.
	times      times
	attempts   int // connections that the request was tried on
	reused     bool
	remote     net.Addr
	stamps     string
	tlsVersion string
	tlsOCSP    string
	withheld   time.Duration
	result     outcome
	failure    error

	mu       sync.Mutex
	watchdog watchdog
	cause    outcome // why it was ended from here; "" while it was not
	socket   transport
	head     *head
	framer   framer
	received int64
	over     bool
	spare    piece // storage that the script is done with

	// armed wakes the script; nil while it waits for nothing. Guarded by mu, as what it waits for.
	armed              func(func() error)
	wantHead, wantData bool

	script   waiting // touched by JavaScript's thread alone
	conclude func(func() error)
}

// waiting is what the script has asked for and not yet got.
type waiting struct {
	heads   []func(any) error
	batches []func(any) error
	finish  func(any) error
	reply   *sobek.Promise
	ended   bool // the script has been told of the end
}

func (e *exchange) now() time.Duration { return time.Since(processStart) }

// attach makes a connection the one that an end from outside cuts. It returns false if that end has come already.
func (e *exchange) attach(conn transport) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cause != "" {
		return false
	}
	e.socket = conn
	return true
}

// detach says that the connection is no longer this exchange's, and whether it may be used again.
func (e *exchange) detach() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.socket = nil
	return e.cause == ""
}

// stop ends the exchange from outside; the first reason counts. The transfer's goroutine does the rest.
func (e *exchange) stop(why outcome) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stopLocked(why)
}

func (e *exchange) stopLocked(why outcome) {
	if e.cause != "" || e.over {
		return
	}
	e.cause = why
	e.cancel()
	if e.socket != nil {
		e.socket.interrupt()
	}
}

// onTimer is called when the watchdog's timer fires.
func (e *exchange) onTimer() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over || e.cause != "" {
		return
	}
	if what, isOver := e.watchdog.expired(e.now()); isOver {
		e.stopLocked(what)
	}
}

// enter tells the watchdog of another stage.
func (e *exchange) enter(stage progress) {
	e.mu.Lock()
	e.watchdog.enter(stage, e.now())
	e.mu.Unlock()
}

// onHeadLocked keeps the head of the response.
func (e *exchange) onHeadLocked(status int, header http.Header, protocol string, at int64) {
	e.head = &head{status: status, header: header, protocol: protocol}
	e.times.headers = at
}

// onDataLocked follows every read that brought bytes of the body.
func (e *exchange) onDataLocked(received int64, a arrival) {
	if e.received == 0 && received > 0 {
		e.times.firstByte = a.at
		e.watchdog.enter(streaming, a.since)
	}
	e.received = received
	e.watchdog.since = a.since
	e.framer.cut(a)
}

// wakeLocked gives the way to wake the script, if it waits for something that is now here.
func (e *exchange) wakeLocked() func(func() error) {
	if e.armed == nil {
		return nil
	}
	hasHead := e.wantHead && e.head != nil
	hasData := e.wantData && !e.framer.isEmpty()
	if !e.over && !hasHead && !hasData {
		return nil
	}
	wake := e.armed
	e.armed = nil
	return wake
}

// withhold waits as long as a slow consumer has to after taking n bytes. It returns false if the exchange was ended.
func (e *exchange) withhold(n int) bool {
	if e.spec.bytesPerSecond == 0 || n == 0 {
		return true
	}
	wait := time.Duration(math.Ceil(float64(n) / e.spec.bytesPerSecond * 1e9))
	e.pause(true)
	started := time.Now()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-e.ctx.Done():
	}
	e.withheld += time.Since(started)
	e.pause(false)
	return e.ctx.Err() == nil
}

func (e *exchange) pause(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	e.watchdog.paused = on
	if e.watchdog.stage == streaming {
		e.watchdog.since = now
	}
	if !on {
		e.watchdog.arm(now)
	}
}

// readLimit is how much may be read at a time: for a slow consumer a twentieth of a second's bytes, so that it reads
// little and often.
func (e *exchange) readLimit() int {
	if e.spec.bytesPerSecond == 0 {
		return readBufferBytes
	}
	return max(1, int(min(readBufferBytes, e.spec.bytesPerSecond/20)))
}
