package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/metrics"
	"golang.org/x/net/http/httpguts"
)

var (
	// errUnsendable marks a request that can't be put on the wire.
	errUnsendable = errors.New("invalid request")
	// errUnreadable marks a response that is not HTTP.
	errUnreadable = errors.New("malformed response")
)

// connection carries exchanges.
type connection interface {
	// exchange sends the request and reads the response to its end, or to that of the exchange.
	exchange(e *exchange, req *http.Request) (isReusable bool, err error)
	isUsable() bool
	close()
}

// start begins an exchange. It runs on JavaScript's thread and returns at once.
func (in *instance) start(state *lib.State, spec *spec, tags metrics.TagsAndMeta) *exchange {
	e := &exchange{
		in: in, spec: spec, state: state, tags: tags, vuCtx: in.vu.Context(), stamps: "go",
		framer: newFramer(spec.delimiters, spec.binary),
	}
	storage := takeStorage()
	e.framer.bytes, e.framer.frames = storage.bytes, storage.frames
	e.times.start = time.Now().UnixNano()
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.watchdog.limits = spec.limits
	now := e.now()
	e.watchdog.started = now
	if spec.limits != (limits{}) {
		e.watchdog.timer = time.AfterFunc(time.Hour, e.onTimer)
	}
	e.enter(connecting)
	e.conclude = in.vu.RegisterCallback()
	go e.run()
	return e
}

// run is the goroutine of an exchange. What it started has ended when it answers the callback.
func (e *exchange) run() {
	unhook := context.AfterFunc(e.vuCtx, func() { e.stop(interrupted) })
	err := e.transfer()
	unhook()
	e.end(err)
	e.cancel()
	e.emit()
	e.mu.Lock()
	e.over = true
	wake := e.wakeLocked()
	e.mu.Unlock()
	if wake != nil {
		wake(func() error { return nil }) // the answer is in settle
	}
	e.conclude(e.settle)
}

// end says how it ended, once the transfer has.
func (e *exchange) end(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.watchdog.timer != nil {
		e.watchdog.timer.Stop()
	}
	e.watchdog.stage = ended
	e.framer.finish()
	switch {
	case err == nil:
		e.result = complete
		return
	case e.cause != "":
		e.result, e.failure = e.cause, causes[e.cause]
	case e.result == "":
		e.result, e.failure = classifyTransfer(err), err
	default:
		e.failure = err
	}
	e.times.end = time.Now().UnixNano()
}

// transfer makes the request. A result other than that of classifyTransfer is in e.result.
func (e *exchange) transfer() error {
	req, err := e.newRequest()
	if err != nil {
		e.result = invalid
		return err
	}
	if limiter := e.state.RPSLimit; limiter != nil {
		if err := limiter.Wait(e.ctx); err != nil {
			return err
		}
	}
	route, err := e.in.route(e, req)
	if err != nil {
		e.result = connectFailed
		return err
	}
	for {
		err, again := e.attempt(req, route)
		if err != nil && errors.Is(err, errUnsendable) {
			e.result = invalid
		}
		if !again {
			return err
		}
		req.Body, _ = req.GetBody()
	}
}

// attempt makes the request on one connection. again says that an idle connection had turned out to be closed, before
// anything of the response came.
func (e *exchange) attempt(req *http.Request, r *route) (err error, again bool) { //nolint:revive,staticcheck // err is the result
	e.attempts++
	conn, isReused, err := e.in.pool.get(e, r)
	if err != nil {
		return err, false
	}
	e.mu.Lock()
	e.times.got = time.Now().UnixNano()
	e.times.firstResponse, e.times.written = 0, 0
	e.reused = isReused
	e.watchdog.enter(awaiting, e.now())
	e.mu.Unlock()
	isReusable, err := conn.exchange(e, req)
	e.keepCookies(req)
	if isReusable {
		e.in.pool.put(r, conn)
		return err, false
	}
	e.in.pool.drop(conn)
	e.mu.Lock()
	defer e.mu.Unlock()
	isLost := err != nil && isReused && e.cause == "" && e.head == nil && e.times.firstResponse == 0 && e.result == ""
	return err, isLost && (isReplayable(req) || errors.Is(err, errNothingSent))
}

// errNothingSent marks a connection that was closed before it took a byte of the request.
var errNothingSent = errors.New("nothing was sent")

// isReplayable says whether a request may be sent twice, as net/http has it.
func isReplayable(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return req.Header.Get("Idempotency-Key") != ""
}

// newRequest makes a request of net/http of the script's, or says why it can't be sent.
func (e *exchange) newRequest() (*http.Request, error) {
	s := e.spec
	address, err := url.Parse(s.url)
	switch {
	case err != nil:
		return nil, err
	case address.Scheme != "http" && address.Scheme != "https":
		return nil, fmt.Errorf("the address %q begins with neither http:// nor https://", s.url)
	case address.Hostname() == "":
		return nil, fmt.Errorf("the address %q has no host", s.url)
	}
	if _, err := httpguts.PunycodeHostPort(address.Host); err != nil {
		return nil, fmt.Errorf("the host of %q: %w", s.url, err)
	}
	for name, values := range s.header {
		if !httpguts.ValidHeaderFieldName(name) {
			return nil, fmt.Errorf("invalid header name %q", name)
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return nil, fmt.Errorf("the value of header %q has a character that can't be sent", name)
			}
		}
	}
	req, err := http.NewRequestWithContext(e.ctx, s.method, s.url, bytes.NewReader(s.body))
	if err != nil {
		return nil, err
	}
	req.Header = s.header
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
		req.Header.Del("Host")
	}
	if req.Host == "" {
		req.Host = address.Host
	}
	if _, isSet := req.Header["User-Agent"]; !isSet {
		req.Header.Set("User-Agent", e.state.Options.UserAgent.String)
	}
	if user := address.User; user != nil && req.Header.Get("Authorization") == "" {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	if s.cookies && e.state.CookieJar != nil {
		for _, cookie := range e.state.CookieJar.Cookies(address) {
			req.AddCookie(cookie)
		}
	}
	req.Close = e.in.keepsNothing(e.state)
	return req, nil
}

// keepCookies puts the response's cookies into the virtual user's jar.
func (e *exchange) keepCookies(req *http.Request) {
	if !e.spec.cookies || e.state.CookieJar == nil || e.head == nil {
		return
	}
	response := http.Response{Header: e.head.header}
	if cookies := response.Cookies(); len(cookies) > 0 {
		e.state.CookieJar.SetCookies(req.URL, cookies)
	}
}
