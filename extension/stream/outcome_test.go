package stream

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/lib"
)

const chunkedHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

// chunk is one chunk of chunked encoding.
func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

func TestACompleteResponse(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		response string
		text     string
		status   int
	}{
		"chunked": {
			chunkedHead + chunk("one\n") + chunk("two\n") + "0\r\n\r\n", "one\ntwo\n", 200,
		},
		"chunked, with an extension and a trailer": {
			chunkedHead + "3;a=b\r\nabc\r\n0\r\nSum: 1\r\n\r\n", "abc", 200,
		},
		"counted":                      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", "abcde", 200},
		"to the end of the connection": {"HTTP/1.0 200 OK\r\n\r\nabcde", "abcde", 200},
		"empty":                        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", 200},
		"no content":                   {"HTTP/1.1 204 No Content\r\n\r\n", "", 204},
		"bare line feeds":              {"HTTP/1.1 200 OK\nContent-Length: 2\n\nab", "ab", 200},
		"an error with a body":         {"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", "busy", 503},
		"early hints before it": {
			"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", "a", 200,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newVirtualUser(t).finish(answer(t, c.response), "{}")
			require.Equal(t, complete, r.Outcome)
			require.Empty(t, r.Error)
			require.Equal(t, c.text, r.Text)
			require.Equal(t, c.status, r.Status)
			require.Equal(t, len(c.text), r.BytesReceived)
			require.NotNil(t, r.HeadersMs)
			require.GreaterOrEqual(t, *r.EndMs, *r.HeadersMs)
		})
	}
}

func TestHeadersAreLowerCaseAndJoined(t *testing.T) {
	t.Parallel()
	url := answer(t, "HTTP/1.1 200 OK\r\nX-One: a\r\nx-one: b\r\nContent-Length: 0\r\n\r\n")
	r := newVirtualUser(t).finish(url, "{}")
	require.Equal(t, map[string]string{"x-one": "a, b", "content-length": "0"}, r.Headers)
	require.Equal(t, "HTTP/1.1", r.Protocol)
}

func TestAHeadRequestHasNoBody(t *testing.T) {
	t.Parallel()
	r := newVirtualUser(t).finish(answer(t, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"), "{ method: 'HEAD' }")
	require.Equal(t, complete, r.Outcome)
	require.Zero(t, r.BytesReceived)
}

// Every way in which a peer can fail, on a connection that stood.
func TestAPeerThatFails(t *testing.T) {
	t.Parallel()
	reset := func(sent string) func(*net.TCPConn, *bufio.Reader) {
		return func(conn *net.TCPConn, requests *bufio.Reader) {
			readRequest(requests)
			_, _ = conn.Write([]byte(sent))
			time.Sleep(30 * time.Millisecond) // else the reset may throw away what was sent
			_ = conn.SetLinger(0)
		}
	}
	say := func(sent string) func(*net.TCPConn, *bufio.Reader) {
		return func(conn *net.TCPConn, requests *bufio.Reader) {
			readRequest(requests)
			_, _ = conn.Write([]byte(sent))
		}
	}
	cases := map[string]struct {
		handle  func(*net.TCPConn, *bufio.Reader)
		outcome outcome
		status  int
		text    string
	}{
		"closes at once":                {say(""), truncated, 0, ""},
		"closes in the head":            {say("HTTP/1.1 200 OK\r\nContent-"), truncated, 0, ""},
		"a body shorter than announced": {say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), truncated, 200, "abc"},
		"closes between chunks":         {say(chunkedHead + chunk("abc")), truncated, 200, "abc"},
		"closes in a chunk":             {say(chunkedHead + "5\r\nab"), truncated, 200, "ab"},
		"closes in a chunk's size":      {say(chunkedHead + chunk("abc") + "5"), truncated, 200, "abc"},
		"closes before the last line":   {say(chunkedHead + chunk("abc") + "0\r\n"), truncated, 200, "abc"},
		"resets before the head":        {reset(""), reset_, 0, ""},
		"resets in the body":            {reset(chunkedHead + chunk("abc")), reset_, 200, "abc"},
		"is not HTTP":                   {say("SSH-2.0-OpenSSH\r\n\r\n"), failed, 0, ""},
		"has a chunk without size":      {say(chunkedHead + "xyz\r\n"), failed, 200, ""},
		"has a chunk that is too long":  {say(chunkedHead + "1\r\nab\r\n"), failed, 200, "a"},
		"has two lengths":               {say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), failed, 0, ""},
		"changes the protocol":          {say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), failed, 0, ""},
		"has endless headers":           {say("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxHeadBytes+1)), failed, 0, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newVirtualUser(t).finish(serve(t, c.handle), "{ body: 'x' }")
			require.Equal(t, c.outcome, r.Outcome, r.Error)
			require.NotEmpty(t, r.Error)
			require.Equal(t, c.status, r.Status)
			require.Equal(t, c.text, r.Text)
			require.NotNil(t, r.EndMs)
		})
	}
}

const reset_ = reset //nolint:revive,staticcheck // a case's own helper is called reset

// A reader that takes data and misses the end that came with it would wait for ever.
func TestTheEndIsNeverMissed(t *testing.T) {
	t.Parallel()
	var number atomic.Int64
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		n := int(number.Add(1))
		_, _ = conn.Write([]byte(chunkedHead + chunk("abc")))
		time.Sleep(time.Duration(n%5) * 100 * time.Microsecond)
		_, _ = conn.Write([]byte(chunk("def")))
		if n%3 == 0 {
			_ = conn.SetLinger(0)
		}
	})
	v := newVirtualUser(t)
	ends := value[[]string](v, fmt.Sprintf(`const all = [];
		for (let i = 0; i < 60; i++) {
			const five = [0, 1, 2, 3, 4].map(() => request(%q, { timeouts: { totalMs: 10000 } }).finish());
			for (const r of await Promise.all(five)) all.push(r.outcome);
		}
		return all;`, url))
	require.Len(t, ends, 300)
	for _, end := range ends {
		require.Contains(t, []string{"truncated", "reset"}, end)
	}
}

// Each limit ends an exchange under its own name, and not much later than it says.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	silent := serve(t, func(_ *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		readRequest(requests)
	})
	headOnly := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		_, _ = conn.Write([]byte(chunkedHead))
		readRequest(requests)
	})
	stalls := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		_, _ = conn.Write([]byte(chunkedHead + chunk("abc")))
		readRequest(requests)
	})
	trickles := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		_, _ = conn.Write([]byte(chunkedHead))
		for range 1000 {
			if _, err := conn.Write([]byte(chunk("x"))); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	full := fullListener(t)
	cases := map[string]struct {
		url, timeouts string
		outcome       outcome
		limitMs       float64
		text          string
	}{
		"no connection":                  {full, "connectMs: 150", connectTimeout, 150, ""},
		"no connection, total":           {full, "totalMs: 150", totalTimeout, 150, ""},
		"a silent server":                {silent, "firstByteMs: 150", firstByteTimeout, 150, ""},
		"a head without a body":          {headOnly, "firstByteMs: 150", firstByteTimeout, 150, ""},
		"a head without a body, total":   {headOnly, "firstByteMs: 1000, totalMs: 150", totalTimeout, 150, ""},
		"a pause":                        {stalls, "idleMs: 150", idleTimeout, 150, "abc"},
		"a pause, and a long first wait": {stalls, "firstByteMs: 5000, idleMs: 150", idleTimeout, 150, "abc"},
		"a slow trickle":                 {trickles, "idleMs: 5000, totalMs: 200", totalTimeout, 200, "*"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newVirtualUser(t).finish(c.url, "{ body: 'x', timeouts: {"+c.timeouts+"} }")
			require.Equal(t, c.outcome, r.Outcome, r.Error)
			took := *r.EndMs - *r.StartMs
			require.GreaterOrEqual(t, took, c.limitMs-1)
			require.Less(t, took, c.limitMs+2000)
			if c.text == "*" {
				require.NotEmpty(t, r.Text)
			} else {
				require.Equal(t, c.text, r.Text)
			}
		})
	}
}

func TestATrickleIsNotIdle(t *testing.T) {
	t.Parallel()
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		_, _ = conn.Write([]byte(chunkedHead))
		for range 20 {
			time.Sleep(150 * time.Millisecond)
			_, _ = conn.Write([]byte(chunk("x")))
		}
		_, _ = conn.Write([]byte("0\r\n\r\n"))
	})
	r := newVirtualUser(t).finish(url, "{ timeouts: { idleMs: 2000, firstByteMs: 2000, connectMs: 2000 } }")
	require.Equal(t, complete, r.Outcome, r.Error)
	require.Equal(t, 20, r.Frames)
}

// fullListener accepts nothing and has no room for more connections, so that connecting to it takes for ever.
func fullListener(t *testing.T) string {
	t.Helper()
	url, ok := tryFullListener(t)
	if !ok {
		t.Skip("this system can't have a listener that is full")
	}
	return url
}

func TestNoConnection(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := "http://" + closed.Addr().String()
	require.NoError(t, closed.Close())
	plain := answer(t, "HTTP/1.1 200 OK\r\n\r\n")
	cases := map[string]struct {
		url     string
		prepare func(*virtualUser)
		outcome outcome
		words   string
	}{
		"nobody listens":         {nobody, nil, refused, "connection refused"},
		"a name without address": {"http://nowhere.test/", nil, dnsFailed, "no such host"},
		"a blocked name": {"http://name.test/", func(v *virtualUser) {
			v.dialer.BlockedHostnames = blockNames(t, "*.test")
		}, connectFailed, "blocked pattern"},
		"a blocked address": {nobody, func(v *virtualUser) {
			_, network, err := net.ParseCIDR("127.0.0.0/8")
			require.NoError(t, err)
			v.dialer.Blacklist = []*lib.IPNet{{IPNet: *network}}
		}, connectFailed, "blacklisted"},
		"TLS with a server that has none": {strings.Replace(plain, "http:", "https:", 1), nil, tlsFailed, "tls"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVirtualUser(t)
			if c.prepare != nil {
				c.prepare(v)
			}
			r := v.finish(c.url, "{ timeouts: { totalMs: 5000 } }")
			require.Equal(t, c.outcome, r.Outcome, r.Error)
			require.Contains(t, r.Error, c.words)
			require.Zero(t, r.Status)
			require.Nil(t, r.WrittenMs)
			require.NotNil(t, r.EndMs)
		})
	}
}

func TestACertificateThatIsNotTrusted(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	server.Config.ErrorLog = nil
	v := newVirtualUser(t)
	v.state.TLSConfig.InsecureSkipVerify = false
	r := v.finish(server.URL, "{}")
	require.Equal(t, tlsFailed, r.Outcome)
	require.Contains(t, r.Error, "certificate")

	v = newVirtualUser(t)
	r = v.finish(server.URL, "{}")
	require.Equal(t, complete, r.Outcome, r.Error)
	require.Equal(t, 404, r.Status)
}

// Whatever an address or a header is, there is an answer, and nothing panics.
func TestWhatCanNotBeSent(t *testing.T) {
	t.Parallel()
	v := newVirtualUser(t)
	for _, url := range []string{
		"", " ", "/", "//", "://", "http://", "https:///path", "ftp://127.0.0.1/", "name.test", "http://[::1", "http://%zz/",
		"http://127.0.0.1:x/", "http://a b/", "javascript:alert(1)", "http://\x00/", "http://xn--a.test\u0300/",
	} {
		r := v.finish(url, "{ timeouts: { totalMs: 2000 } }")
		require.Contains(t, []outcome{invalid, dnsFailed}, r.Outcome, "%q: %s", url, r.Error)
		require.NotEmpty(t, r.Error)
	}
	for _, params := range []string{
		"{ method: 'A B' }", "{ headers: { 'a b': 'c' } }", "{ headers: { a: 'b\\r\\nc: d' } }", "{ headers: { '': 'x' } }",
	} {
		r := v.finish("http://127.0.0.1:1/", params)
		require.Equal(t, invalid, r.Outcome, params)
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	v := newVirtualUser(t)
	url := answer(t, chunkedHead+chunk("abcde")+chunk("fghij")+"0\r\n\r\n")
	r := v.finish(url, "{ maxBytes: 7 }")
	require.Equal(t, tooLarge, r.Outcome)
	require.Equal(t, "abcdefg", r.Text)
	require.Equal(t, 7, r.BytesReceived)
	require.Equal(t, complete, v.finish(url, "{ maxBytes: 10 }").Outcome)
}

func TestAbort(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{}, 10)
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		_, _ = conn.Write([]byte(chunkedHead + chunk("abc")))
		readRequest(requests) // until the client hangs up
		gone <- struct{}{}
	})
	v := newVirtualUser(t)
	t.Run("in the body", func(t *testing.T) {
		r := v.reply(fmt.Sprintf(`const x = request(%q); const b = await x.read(); x.abort(); x.abort();
			const r = await x.finish(); x.abort(); return open({ ...r, text: b.text + r.text });`, url))
		require.Equal(t, aborted, r.Outcome)
		require.Equal(t, "abc", r.Text)
		select {
		case <-gone:
		case <-time.After(5 * time.Second):
			t.Fatal("the connection is still open")
		}
	})
	t.Run("at once", func(t *testing.T) {
		r := v.reply(fmt.Sprintf("const x = request(%q); x.abort(); return open(await x.finish());", url))
		require.Equal(t, aborted, r.Outcome)
	})
	t.Run("after the end", func(t *testing.T) {
		url := answer(t, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
		r := v.reply(fmt.Sprintf("const x = request(%q); await x.finish(); x.abort(); return open(await x.finish());", url))
		require.Equal(t, complete, r.Outcome)
		require.Equal(t, "a", r.Text)
	})
	t.Run("while connecting", func(t *testing.T) {
		r := v.reply(fmt.Sprintf(`const x = request(%q); setTimeout(() => x.abort(), 50);
			return open(await x.finish());`, fullListener(t)))
		require.Equal(t, aborted, r.Outcome)
	})
}

// The end of the iteration's context ends every exchange of it.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		_, _ = conn.Write([]byte(chunkedHead + chunk("abc")))
		readRequest(requests)
	})
	v := newVirtualUser(t)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	started := time.Now()
	_, err := v.tryIterate(ctx, fmt.Sprintf("await request(%q).finish(); return 1;", url))
	require.Less(t, time.Since(started), 5*time.Second)
	_ = err // an interrupted script ends with an error or without one
	var found outcome
	v.runtime.VU.CtxField = ctx
	require.NoError(t, v.runtime.EventLoop.Start(func() error {
		e := v.in.start(v.state, &spec{url: url, method: "GET", header: http.Header{}, maxBytes: -1}, v.state.Tags.GetCurrentValues())
		conclude := v.runtime.VU.RegisterCallback()
		go func() {
			<-e.ctx.Done()
			for {
				e.mu.Lock()
				isOver := e.over
				e.mu.Unlock()
				if isOver {
					break
				}
				time.Sleep(time.Millisecond)
			}
			found = e.result
			conclude(func() error { return nil })
		}()
		return nil
	}))
	require.Equal(t, interrupted, found)
}

// An exchange that nobody asks anything of runs to its end, and the iteration waits for it.
func TestNobodyAsks(t *testing.T) {
	t.Parallel()
	served := make(chan struct{})
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		time.Sleep(100 * time.Millisecond)
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"))
		close(served)
	})
	v := newVirtualUser(t)
	v.iterate(fmt.Sprintf("request(%q);", url))
	select {
	case <-served:
	default:
		t.Fatal("the iteration did not wait")
	}
}
