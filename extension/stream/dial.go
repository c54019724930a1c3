package stream

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/lib/netext"
	"golang.org/x/net/http/httpguts"
)

// route is all that decides whether two requests may share a connection.
type route struct {
	scheme        string
	host          string // without port, as TLS wants it
	address       string // host:port
	proxy         string // "" without
	receiveBuffer int

	maxIdle, maxIdlePerHost int
}

// route finds the way of a request: k6's transport knows the proxies.
func (in *instance) route(e *exchange, req *http.Request) (*route, error) {
	r := &route{
		scheme: req.URL.Scheme, receiveBuffer: e.spec.receiveBuffer,
		maxIdle: int(e.state.Options.Batch.Int64), maxIdlePerHost: int(e.state.Options.BatchPerHost.Int64),
	}
	// 0 means k6's own transport would keep any number, and two for a host.
	if r.maxIdle <= 0 {
		r.maxIdle = 100
	}
	if r.maxIdlePerHost <= 0 {
		r.maxIdlePerHost = http.DefaultMaxIdleConnsPerHost
	}
	ascii, err := httpguts.PunycodeHostPort(req.URL.Host)
	if err != nil {
		return nil, err
	}
	address := url.URL{Host: ascii}
	r.host = address.Hostname()
	port := address.Port()
	if port == "" {
		port = defaultPort(r.scheme)
	}
	r.address = net.JoinHostPort(r.host, port)
	findProxy := http.ProxyFromEnvironment
	if transport, ok := e.state.Transport.(*http.Transport); ok {
		findProxy = transport.Proxy
	}
	if findProxy == nil {
		return r, nil
	}
	proxy, err := findProxy(req)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	if proxy != nil {
		r.proxy = proxy.String()
	}
	return r, nil
}

func defaultPort(scheme string) string {
	switch scheme {
	case "https":
		return "443"
	case "socks5", "socks5h":
		return "1080"
	}
	return "80"
}

// dialError is a failure to get a connection, with its name.
type dialError struct {
	outcome outcome
	error
}

func (d dialError) Unwrap() error { return d.error }

// dial makes a connection: TCP, a proxy where there is one, TLS for https. An error's outcome is in e.result.
func (in *instance) dial(e *exchange, r *route) (connection, error) {
	conn, err := in.dialRoute(e, r)
	if err != nil {
		e.result = classifyDial(err, e.connectBegan() || r.proxy != "")
		if known, ok := err.(dialError); ok { //nolint:errorlint // dialRoute wraps nothing around it
			e.result, err = known.outcome, known.error
		}
		return nil, err
	}
	return conn, nil
}

func (in *instance) dialRoute(e *exchange, r *route) (connection, error) {
	if r.proxy != "" {
		return in.dialProxied(e, r)
	}
	conn, err := e.dialTCP(r.address, r.receiveBuffer)
	if err != nil {
		return nil, err
	}
	if r.scheme == "https" {
		return in.secure(e, r, newSocket(conn))
	}
	return newPlainConn(conn), nil
}

// newPlainConn is a connection without TLS.
func newPlainConn(conn net.Conn) *http1Conn {
	if s, ok := newPolledSocket(conn); ok {
		return &http1Conn{socket: s, source: s}
	}
	s := newSocket(conn)
	return &http1Conn{socket: s, source: s}
}

// secure makes the TLS handshake with the host of the request, and finds out which protocol it speaks.
func (in *instance) secure(e *exchange, r *route, s *socket) (connection, error) {
	protocols := []string{"h2", "http/1.1"}
	if transport, ok := e.state.Transport.(*http.Transport); ok && !transport.ForceAttemptHTTP2 {
		protocols = protocols[1:] // as k6 itself was told
	}
	conn, records, err := e.handshake(s, r.host, protocols)
	if err != nil {
		return nil, err
	}
	if conn.ConnectionState().NegotiatedProtocol != "h2" {
		return &http1Conn{socket: s, tls: conn, source: &tlsStream{conn: conn, records: records}}, nil
	}
	http2, err := newHTTP2Conn(s, conn, records, r.receiveBuffer)
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return http2, nil
}

// handshake makes TLS of a socket, with k6's options. It closes the socket if that fails.
func (e *exchange) handshake(s *socket, host string, protocols []string) (*tls.Conn, *recordConn, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if e.state.TLSConfig != nil {
		config = e.state.TLSConfig.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	config.NextProtos = protocols
	records := newRecordConn(s)
	conn := tls.Client(records, config)
	if err := conn.HandshakeContext(e.ctx); err != nil {
		_ = s.Close()
		return nil, nil, dialError{tlsFailed, fmt.Errorf("tls: %w", err)}
	}
	e.setTime(&e.times.tls)
	return conn, records, nil
}

// setTime stamps a phase.
func (e *exchange) setTime(phase *int64) {
	now := time.Now().UnixNano()
	e.mu.Lock()
	*phase = now
	e.mu.Unlock()
}

func (e *exchange) connectBegan() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.times.connectStart != 0
}

// dialTCP connects through k6's dialer, which resolves names, and blocks what is to be blocked.
//
// k6's resolver can't be cancelled. So a name is resolved by a goroutine that can be left behind: it closes what it gets.
func (e *exchange) dialTCP(address string, receiveBuffer int) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	dialer := dialerWithBuffer(e.state.Dialer, receiveBuffer)
	isName := net.ParseIP(host) == nil
	ctx := httptrace.WithClientTrace(e.ctx, &httptrace.ClientTrace{
		ConnectStart: func(string, string) { e.onConnectStart(isName) },
	})
	conn, err := dialAbandonable(ctx, dialer, address, isName)
	if err != nil {
		return nil, err
	}
	e.setTime(&e.times.connect)
	if tcp, ok := unwrapTCP(conn); ok && receiveBuffer > 0 {
		_ = tcp.SetReadBuffer(receiveBuffer)
	}
	return conn, nil
}

// onConnectStart is called for the first address that is tried, once the name is resolved.
func (e *exchange) onConnectStart(isName bool) {
	now := time.Now().UnixNano()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.times.connectStart != 0 {
		return
	}
	e.times.connectStart = now
	if isName {
		e.times.dns = now
	}
}

func dialAbandonable(ctx context.Context, dialer lib.DialContexter, address string, isName bool) (net.Conn, error) {
	if !isName {
		return dialer.DialContext(ctx, "tcp", address)
	}
	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result)
	go func() {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		select {
		case results <- result{conn, err}:
		case <-ctx.Done():
			if err == nil {
				_ = conn.Close()
			}
		}
	}()
	select {
	case r := <-results:
		return r.conn, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// dialerWithBuffer sets the receive buffer before the connection is made, when the peer learns of its scale. The counts
// of bytes stay those of k6's dialer: newSocket keeps them.
func dialerWithBuffer(dialer lib.DialContexter, receiveBuffer int) lib.DialContexter {
	original, ok := dialer.(*netext.Dialer)
	if !ok || receiveBuffer == 0 {
		return dialer
	}
	changed := &netext.Dialer{
		Dialer: original.Dialer, Resolver: original.Resolver, Blacklist: original.Blacklist,
		BlockedHostnames: original.BlockedHostnames, Hosts: original.Hosts,
	}
	changed.Control = receiveBufferControl(receiveBuffer, original.Control)
	return countingDialer{changed, original}
}

// countingDialer lets the connections of one dialer count for another.
type countingDialer struct {
	dialer, counts *netext.Dialer
}

func (c countingDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := c.dialer.DialContext(ctx, network, address)
	if counted, ok := conn.(*netext.Conn); ok {
		counted.BytesRead, counted.BytesWritten = &c.counts.BytesRead, &c.counts.BytesWritten
	}
	return conn, err
}

// adopt notes what an exchange should know of its connection.
func (e *exchange) adopt(conn connection, isReused bool) {
	var s transport
	var state *tls.ConnectionState
	switch c := conn.(type) {
	case *http1Conn:
		s = c.socket
		if c.tls != nil {
			tlsState := c.tls.ConnectionState()
			state = &tlsState
		}
	case *http2Conn:
		s = c.socket
		tlsState := c.tap.ConnectionState()
		state = &tlsState
	}
	e.remote, e.stamps = s.RemoteAddr(), s.stamps()
	e.tlsVersion, e.tlsOCSP = "", ""
	if state != nil {
		info, ocsp := netext.ParseTLSConnState(state)
		e.tlsVersion, e.tlsOCSP = info.Version, ocsp.Status
	}
	if isReused {
		e.mu.Lock()
		e.times.dns, e.times.connectStart, e.times.connect, e.times.tls = 0, 0, 0, 0
		e.mu.Unlock()
	}
}

// readResponse reads the answer of a proxy to CONNECT, and nothing beyond.
func readResponse(conn net.Conn, req *http.Request) (*http.Response, error) {
	buffered := bufio.NewReader(conn)
	response, err := http.ReadResponse(buffered, req)
	if err != nil {
		return nil, err
	}
	if buffered.Buffered() > 0 && response.StatusCode == http.StatusOK {
		return nil, fmt.Errorf("%w: the proxy sent more than its answer", errUnreadable)
	}
	return response, nil
}
