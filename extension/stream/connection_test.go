package stream

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/lib/types"
	"gopkg.in/guregu/null.v3"
)

// counted is a server that counts its connections.
func counted(t *testing.T, protocol string, handler http.HandlerFunc) (string, *atomic.Int64) {
	t.Helper()
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(handler)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	switch protocol {
	case "plain":
		server.Start()
	case "h2":
		server.EnableHTTP2 = true
		server.StartTLS()
	default:
		server.StartTLS()
	}
	t.Cleanup(server.Close)
	return server.URL, &opened
}

func hello(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(w, "hello")
	w.(http.Flusher).Flush() //nolint:forcetypeassert // every server's is one
	_, _ = io.WriteString(w, " world")
}

// A stream that was read to its end leaves its connection to the next, under every protocol.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"plain", "tls", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			url, opened := counted(t, protocol, hello)
			v := newVirtualUser(t)
			for i := range 5 {
				r := v.finish(url, "{ body: 'x' }")
				require.Equal(t, complete, r.Outcome, r.Error)
				require.Equal(t, "hello world", r.Text)
				require.Equal(t, i > 0, r.Reused)
				require.Equal(t, i > 0, r.ConnectMs == nil)
				require.NotEmpty(t, r.RemoteAddress)
			}
			require.Equal(t, int64(1), opened.Load())
			require.Equal(t, int64(2), func() int64 {
				other := newVirtualUser(t)
				other.finish(url, "{}")
				return opened.Load()
			}(), "another virtual user has its own")
		})
	}
}

func TestConnectionsThatAreNotReused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		option func(*lib.State)
		opened int64
	}{
		"noConnectionReuse":   {func(s *lib.State) { s.Options.NoConnectionReuse = null.BoolFrom(true) }, 6},
		"noVUConnectionReuse": {func(s *lib.State) { s.Options.NoVUConnectionReuse = null.BoolFrom(true) }, 3},
	} {
		for _, protocol := range []string{"plain", "tls", "h2"} {
			t.Run(name+" "+protocol, func(t *testing.T) {
				t.Parallel()
				url, opened := counted(t, protocol, hello)
				v := newVirtualUser(t)
				c.option(v.state)
				for range 3 {
					require.Equal(t, []any{"complete", "complete"}, value[[]any](v, fmt.Sprintf(
						"return [(await request(%q).finish()).outcome, (await request(%q).finish()).outcome]", url, url)))
					time.Sleep(20 * time.Millisecond) // closing is not waited for
				}
				require.Equal(t, c.opened, opened.Load())
			})
		}
	}
}

// Exchanges at one time share an HTTP/2 connection, and each has its own text.
func TestManyStreamsOfAConnection(t *testing.T) {
	t.Parallel()
	url, opened := counted(t, "h2", func(w http.ResponseWriter, r *http.Request) {
		for i := range 20 {
			_, _ = fmt.Fprintf(w, "%s %d\n", r.URL.Query().Get("n"), i)
			w.(http.Flusher).Flush() //nolint:forcetypeassert // every server's is one
			time.Sleep(time.Millisecond)
		}
	})
	v := newVirtualUser(t)
	v.finish(url, "{}")
	texts := value[[]string](v, fmt.Sprintf(`const all = [];
		for (let i = 0; i < 10; i++) all.push(request(%q + '?n=' + i, { delimiters: ['\n'] }).finish());
		return (await Promise.all(all)).map((r) => r.outcome + ' ' + r.frames + ' ' + r.text);`, url))
	for n, text := range texts {
		want := "complete 20 "
		for i := range 20 {
			want += fmt.Sprintf("%d %d\n", n, i)
		}
		require.Equal(t, want, text)
	}
	require.Equal(t, int64(1), opened.Load())
}

// One stream's end does not disturb another's, and the server hears of it.
func TestAStreamIsAborted(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{}, 1)
	url, opened := counted(t, "h2", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello")
		w.(http.Flusher).Flush() //nolint:forcetypeassert // every server's is one
		if r.URL.Path == "/short" {
			time.Sleep(100 * time.Millisecond)
			return
		}
		<-r.Context().Done()
		gone <- struct{}{}
	})
	v := newVirtualUser(t)
	v.finish(url+"/short", "{}")
	got := value[[]string](v, fmt.Sprintf(`const a = request(%q), b = request(%q);
		await a.read(); await b.read(); a.abort();
		return [(await a.finish()).outcome, (await b.finish()).outcome];`, url, url+"/short"))
	require.Equal(t, []string{"aborted", "complete"}, got)
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Fatal("the server does not know")
	}
	require.Equal(t, int64(1), opened.Load())
}

// HTTP/2 has the same names for what goes wrong.
func TestFailuresOfHTTP2(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	url, _ := counted(t, "h2", func(w http.ResponseWriter, r *http.Request) {
		flush := w.(http.Flusher).Flush //nolint:forcetypeassert // every server's is one
		switch r.URL.Path {
		case "/short":
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "abc")
			flush()
			panic(http.ErrAbortHandler)
		case "/silent":
		case "/stalls":
			_, _ = io.WriteString(w, "abc")
			flush()
		case "/large":
			_, _ = io.WriteString(w, strings.Repeat("x", 100_000))
			return
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	for name, c := range map[string]struct {
		params  string
		outcome outcome
		text    string
	}{
		"/short":  {"{}", reset, "abc"},
		"/silent": {"{ timeouts: { firstByteMs: 100 } }", firstByteTimeout, ""},
		"/stalls": {"{ timeouts: { idleMs: 100 } }", idleTimeout, "abc"},
		"/large":  {"{ maxBytes: 5 }", tooLarge, "xxxxx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newVirtualUser(t).finish(url+name, c.params)
			require.Equal(t, c.outcome, r.Outcome, r.Error)
			require.Equal(t, c.text, r.Text)
		})
	}
}

// A window of 1 KiB holds the server back as long as the consumer is slow.
func TestASlowConsumerOfHTTP2(t *testing.T) {
	t.Parallel()
	took := make(chan time.Duration, 1)
	url, _ := counted(t, "h2", func(w http.ResponseWriter, _ *http.Request) {
		started := time.Now()
		_, _ = w.Write(make([]byte, 100_000))
		took <- time.Since(started)
	})
	r := newVirtualUser(t).finish(url, "{ readBytesPerSecond: 200000, receiveBufferBytes: 1024 }")
	require.Equal(t, complete, r.Outcome, r.Error)
	require.Equal(t, 100_000, r.BytesReceived)
	require.Greater(t, <-took, 300*time.Millisecond)
}

// HTTP/1.1 is what k6 was told to keep to.
func TestNoHTTP2WhereK6HasNone(t *testing.T) {
	t.Parallel()
	url, _ := counted(t, "h2", hello)
	v := newVirtualUser(t)
	v.state.Transport = &http.Transport{}
	require.Equal(t, "HTTP/1.1", v.finish(url, "{}").Protocol)
}

// An idle connection that the server has closed is not used, whatever the method.
func TestAConnectionThatWasClosedWhileIdle(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"plain", "tls"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.HandlerFunc(hello))
			server.Config.IdleTimeout = 20 * time.Millisecond
			if protocol == "tls" {
				server.StartTLS()
			} else {
				server.Start()
			}
			t.Cleanup(server.Close)
			v := newVirtualUser(t)
			for range 3 {
				r := v.finish(server.URL, "{ body: 'x' }")
				require.Equal(t, complete, r.Outcome, r.Error)
				require.False(t, r.Reused)
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
}

// A connection that dies under a request may carry it again only where that does no harm.
func TestARequestIsSentAgainOnlyIfItMayBe(t *testing.T) {
	t.Parallel()
	var requests atomic.Int64
	url := serve(t, func(conn *net.TCPConn, from *bufio.Reader) {
		for i := 0; readRequest(from); i++ {
			requests.Add(1)
			if i == 1 {
				return // the second request of a connection gets no answer
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	v := newVirtualUser(t)
	first := v.finish(url, "{}")
	require.Equal(t, complete, first.Outcome)
	require.Equal(t, 1, first.Attempts)
	again := v.finish(url, "{}")
	require.Equal(t, complete, again.Outcome, again.Error)
	require.False(t, again.Reused)
	require.Equal(t, 2, again.Attempts)
	require.Equal(t, int64(3), requests.Load())
	post := v.finish(url, "{ body: 'x' }")
	require.Equal(t, truncated, post.Outcome)
	require.Equal(t, 1, post.Attempts)
	require.Equal(t, int64(4), requests.Load())
	// Two more: the answer to the first leaves a connection that drops the next one.
	require.Equal(t, complete, v.finish(url, "{ body: 'x' }").Outcome)
	keyed := v.finish(url, "{ body: 'x', headers: { 'Idempotency-Key': 'k' } }")
	require.Equal(t, complete, keyed.Outcome, keyed.Error)
	require.Equal(t, 2, keyed.Attempts)
	require.Equal(t, int64(7), requests.Load())
}

// A connection that the server closed while it was idle is noticed before a request is sent: that is no second attempt.
func TestAnIdleConnectionThatWasClosedIsNoAttempt(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 1)
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		_ = conn.Close()
		closed <- struct{}{}
	})
	v := newVirtualUser(t)
	for range 3 {
		r := v.finish(url, "{ body: 'x' }")
		require.Equal(t, complete, r.Outcome, r.Error)
		require.False(t, r.Reused)
		require.Equal(t, 1, r.Attempts)
		<-closed
	}
}

// What can't even be tried has no attempt.
func TestAnUnsendableRequestHasNoAttempt(t *testing.T) {
	t.Parallel()
	r := newVirtualUser(t).finish("ftp://127.0.0.1/", "{}")
	require.Equal(t, invalid, r.Outcome)
	require.Equal(t, 0, r.Attempts)
}

// More than the response on the wire: nobody uses that connection again.
func TestAPeerThatSaysTooMuch(t *testing.T) {
	t.Parallel()
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		for readRequest(requests) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
		}
	})
	v := newVirtualUser(t)
	for range 2 {
		r := v.finish(url, "{}")
		require.Equal(t, "ok", r.Text)
		require.False(t, r.Reused)
	}
}

// Nothing is left of a hundred exchanges of every kind: no goroutine, and no socket but the idle ones.
func TestNothingIsLeft(t *testing.T) {
	if sockets() < 0 {
		t.Skip("this system does not list open sockets")
	}
	ok, _ := counted(t, "plain", hello)
	silent := serve(t, func(_ *net.TCPConn, requests *bufio.Reader) { readRequest(requests); readRequest(requests) })
	v := newVirtualUser(t)
	v.finish(ok, "{}")
	require.Empty(t, waitForGoroutines())
	before := sockets()
	for range 25 {
		v.finish(ok, "{}")
		v.finish(silent, "{ timeouts: { firstByteMs: 5 } }")
		v.finish("http://127.0.0.1:1", "{}")
		v.iterate(fmt.Sprintf("const x = request(%q); x.abort();", silent))
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		_, _ = newVirtualUser(t).tryIterate(ctx, fmt.Sprintf("await request(%q).finish();", silent))
		cancel()
	}
	require.Empty(t, waitForGoroutines())
	require.Eventually(t, func() bool { return sockets() <= before+2 }, 5*time.Second, 10*time.Millisecond)
}

func TestNamesAndBytesAreK6s(t *testing.T) {
	t.Parallel()
	address, _ := counted(t, "plain", hello)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	v := newVirtualUser(t)
	r := v.finish("http://name.test:"+port+"/", "{}")
	require.Equal(t, complete, r.Outcome, r.Error)
	require.NotNil(t, r.DNSMs)
	require.LessOrEqual(t, *r.DNSMs, *r.ConnectMs)
	require.Greater(t, v.dialer.BytesRead, int64(100))
	require.Greater(t, v.dialer.BytesWritten, int64(50))

	// The option hosts.
	hosts, err := types.NewHosts(map[string]types.Host{"other.test": {IP: net.ParseIP("127.0.0.1")}})
	require.NoError(t, err)
	v = newVirtualUser(t)
	v.dialer.Hosts = hosts
	r = v.finish("http://other.test:"+port+"/", "{ receiveBufferBytes: 8192 }")
	require.Equal(t, complete, r.Outcome, r.Error)
	require.Greater(t, v.dialer.BytesRead, int64(100), "counted with a buffer of our own, too")
	require.Greater(t, v.dialer.BytesWritten, int64(50))
}

func TestPhasesAreInOrder(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"tls", "h2"} {
		url, _ := counted(t, protocol, hello)
		r := newVirtualUser(t).finish(url, "{}")
		require.Nil(t, r.DNSMs, "an address needs none")
		phases := []float64{*r.StartMs, *r.ConnectMs, *r.TLSMs, *r.WrittenMs, *r.HeadersMs, *r.FirstByteMs, *r.EndMs}
		for i := 1; i < len(phases); i++ {
			require.LessOrEqual(t, phases[i-1], phases[i]+50, "%s: phase %d of %v", protocol, i, phases)
		}
	}
}

func TestClientCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, len(r.TLS.PeerCertificates), r.TLS.ServerName)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert} //nolint:gosec // a test's
	server.StartTLS()
	t.Cleanup(server.Close)
	v := newVirtualUser(t)
	r := v.finish(server.URL, "{}")
	require.Contains(t, []outcome{tlsFailed, reset}, r.Outcome, r.Error)

	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	v.state.TLSConfig = &tls.Config{ //nolint:gosec // a test's
		Certificates: server.TLS.Certificates, RootCAs: roots, ServerName: "example.com",
	}
	r = v.finish(server.URL, "{}")
	require.Equal(t, complete, r.Outcome, r.Error)
	require.Equal(t, "1example.com", r.Text)
}

func TestCookies(t *testing.T) {
	t.Parallel()
	address, _ := counted(t, "plain", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		_, _ = io.WriteString(w, r.Header.Get("Cookie"))
	})
	v := newVirtualUser(t)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	v.state.CookieJar = jar
	require.Empty(t, v.finish(address, "{}").Text)
	require.Empty(t, v.finish(address, "{ cookies: true }").Text, "none was kept before")
	require.Equal(t, "a=b", v.finish(address, "{ cookies: true }").Text)
	require.Empty(t, v.finish(address, "{}").Text)
}

// proxied serves as a proxy, and tells what it was asked for.
func proxied(t *testing.T, secure bool) (*url.URL, *atomic.Pointer[string]) {
	t.Helper()
	var asked atomic.Pointer[string]
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line := r.Method + " " + r.RequestURI + " " + r.Header.Get("Proxy-Authorization")
		asked.Store(&line)
		if r.Method != http.MethodConnect {
			_, _ = io.WriteString(w, "by the proxy")
			return
		}
		if r.Header.Get("Proxy-Authorization") == "" {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		target, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = target.Close() }()
		conn, buffered, err := w.(http.Hijacker).Hijack() //nolint:forcetypeassert // every server's is one
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() {
			_, _ = io.Copy(target, buffered)
			_ = target.Close()
		}()
		_, _ = io.Copy(conn, target)
	})
	server := httptest.NewUnstartedServer(handler)
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	require.NoError(t, err)
	return address, &asked
}

func TestProxies(t *testing.T) {
	t.Parallel()
	target, _ := counted(t, "h2", hello)
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("secure %v", secure), func(t *testing.T) {
			t.Parallel()
			proxy, asked := proxied(t, secure)
			v := newVirtualUser(t)
			v.state.Transport = &http.Transport{Proxy: http.ProxyURL(proxy), ForceAttemptHTTP2: true}

			r := v.finish("http://far.test/path", "{}")
			require.Equal(t, "by the proxy", r.Text, r.Error)
			require.Equal(t, "GET http://far.test/path ", *asked.Load())
			require.Equal(t, proxy.Host, r.RemoteAddress)
			require.True(t, v.finish("http://far.test/path", "{}").Reused)

			r = v.finish(target, "{}")
			require.Equal(t, connectFailed, r.Outcome)
			require.Contains(t, r.Error, "407")

			proxy.User = url.UserPassword("me", "secret")
			r = v.finish(target, "{}")
			require.Equal(t, "hello world", r.Text, r.Error)
			require.Equal(t, "HTTP/2.0", r.Protocol)
			require.Equal(t, "CONNECT "+strings.TrimPrefix(target, "https://")+" Basic bWU6c2VjcmV0", *asked.Load())

			r = v.finish("http://far.test/path", "{}")
			require.Equal(t, "GET http://far.test/path Basic bWU6c2VjcmV0", *asked.Load())
			require.Equal(t, complete, r.Outcome)
		})
	}
	t.Run("SOCKS5", func(t *testing.T) {
		t.Parallel()
		plain, _ := counted(t, "plain", hello)
		proxy, err := url.Parse(strings.Replace(socks(t), "http:", "socks5:", 1))
		require.NoError(t, err)
		v := newVirtualUser(t)
		v.state.Transport = &http.Transport{Proxy: http.ProxyURL(proxy)}
		for _, address := range []string{plain, target} {
			r := v.finish(address, "{}")
			require.Equal(t, "hello world", r.Text, r.Error)
		}
		require.Equal(t, connectFailed, v.finish("http://127.0.0.1:1", "{}").Outcome)
	})
	t.Run("of an unknown kind", func(t *testing.T) {
		t.Parallel()
		v := newVirtualUser(t)
		plain, _ := counted(t, "plain", hello)
		proxy, err := url.Parse(strings.Replace(plain, "http:", "gopher:", 1))
		require.NoError(t, err)
		v.state.Transport = &http.Transport{Proxy: http.ProxyURL(proxy)}
		require.Equal(t, connectFailed, v.finish(plain, "{}").Outcome)
	})
}

// socks is the least of a SOCKS5 proxy: no authentication, CONNECT to an IPv4 address.
func socks(t *testing.T) string {
	t.Helper()
	return serve(t, func(conn *net.TCPConn, from *bufio.Reader) {
		greeting := make([]byte, 3)
		if _, err := io.ReadFull(from, greeting); err != nil {
			return
		}
		_, _ = conn.Write([]byte{5, 0})
		request := make([]byte, 10)
		if _, err := io.ReadFull(from, request); err != nil || request[3] != 1 {
			return
		}
		address := &net.TCPAddr{IP: request[4:8], Port: int(request[8])<<8 | int(request[9])}
		target, err := net.Dial("tcp", address.String())
		if err != nil {
			_, _ = conn.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
			return
		}
		defer func() { _ = target.Close() }()
		_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		go func() {
			_, _ = io.Copy(target, from)
			_ = target.Close()
		}()
		_, _ = io.Copy(conn, target)
	})
}
