package stream

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A wrong parameter throws at once, with its name, its value and what is allowed.
func TestWrongParameters(t *testing.T) {
	t.Parallel()
	v := newVirtualUser(t)
	const url = "'http://127.0.0.1:1'"
	cases := map[string]string{
		"":                                      "url is undefined",
		"1":                                     "url is 1",
		"null":                                  "url is null",
		"{}":                                    "url is an object (Object)",
		"Symbol('a')":                           "url is a symbol",
		url + ", 1":                             "params is 1",
		url + ", 'x'":                           `params is "x"`,
		url + ", []":                            "params is an object (Array)",
		url + ", () => 1":                       "params is an object (Function)",
		url + ", { foo: 1 }":                    "params.foo is not a parameter",
		url + ", { method: 1 }":                 "params.method is 1",
		url + ", { method: '' }":                "params.method is \"\"",
		url + ", { headers: [] }":               "params.headers is an object (Array)",
		url + ", { headers: { a: {} } }":        "params.headers.a is an object",
		url + ", { headers: { a: null } }":      "params.headers.a is null",
		url + ", { body: 1 }":                   "params.body is 1",
		url + ", { body: {} }":                  "params.body is an object (Object)",
		url + ", { body: new Uint16Array(1) }":  "params.body is an object",
		url + ", { body: [1] }":                 "params.body is an object (Array)",
		url + ", { tags: 1 }":                   "params.tags is 1",
		url + ", { tags: { a: {} } }":           "params.tags.a is an object",
		url + ", { timeouts: 1 }":               "params.timeouts is 1",
		url + ", { timeouts: { a: 1 } }":        "params.timeouts.a is not a timeout",
		url + ", { timeouts: { idleMs: -1 } }":  "params.timeouts.idleMs is -1",
		url + ", { timeouts: { idleMs: '1' } }": "params.timeouts.idleMs is \"1\"",
		url + ", { timeouts: { idleMs: NaN } }": "params.timeouts.idleMs is NaN",
		url + ", { timeouts: { totalMs: Infinity } }": "params.timeouts.totalMs is Infinity",
		url + ", { timeouts: { connectMs: 1n } }":     "params.timeouts.connectMs is 1",
		url + ", { maxBytes: 0 }":                     "params.maxBytes is 0",
		url + ", { maxBytes: 1.5 }":                   "params.maxBytes is 1.5",
		url + ", { receiveBufferBytes: 1 }":           "params.receiveBufferBytes is 1",
		url + ", { delimiters: 'a' }":                 "params.delimiters is \"a\"",
		url + ", { delimiters: [] }":                  "params.delimiters has 0 elements",
		url + ", { delimiters: [''] }":                "params.delimiters[0] is \"\"",
		url + ", { delimiters: ['a', 1] }":            "params.delimiters[1] is 1",
		url + ", { delimiters: Array(17).fill('a') }": "params.delimiters has 17 elements",
		url + ", { readBytesPerSecond: 0 }":           "params.readBytesPerSecond is 0",
		url + ", { binary: 1 }":                       "params.binary is 1",
		url + ", { cookies: 'yes' }":                  "params.cookies is \"yes\"",
	}
	for arguments, words := range cases {
		got := value[[]string](v, fmt.Sprintf(
			"try { request(%s).abort(); return ['', 'no error']; } catch (e) { return [e.name, e.message]; }", arguments))
		require.Equal(t, "TypeError", got[0], arguments+": "+got[1])
		require.Contains(t, got[1], words, arguments)
	}
	getter := value[string](v, "try { request('http://x', { get body() { throw new Error('mine'); } }); } catch (e) { return e.message; }")
	require.Equal(t, "mine", getter)
}

func TestAbsentParameters(t *testing.T) {
	t.Parallel()
	v := newVirtualUser(t)
	for _, params := range []string{"undefined", "null", "{}", "{ method: undefined, timeouts: { idleMs: null }, body: null }"} {
		r := v.finish(answer(t, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"), params)
		require.Equal(t, complete, r.Outcome, r.Error)
	}
}

func TestInitContext(t *testing.T) {
	t.Parallel()
	v := newVirtualUser(t)
	v.runtime.VU.StateField = nil
	_, err := v.tryIterate(t.Context(), "request('http://127.0.0.1:1')")
	require.ErrorContains(t, err, "init context")
}

// What is sent is what was asked for.
func TestTheRequestOnTheWire(t *testing.T) {
	t.Parallel()
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		req, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(req.Body)
		text := fmt.Sprintf("%s %s host=%s agent=%q a=%v auth=%s length=%d encoding=%q body=%q", req.Method, req.RequestURI, req.Host,
			req.Header["User-Agent"], req.Header["A"], req.Header.Get("Authorization"), req.ContentLength,
			req.Header.Get("Accept-Encoding"), body)
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	})
	host := strings.TrimPrefix(url, "http://")
	v := newVirtualUser(t)
	cases := map[string]struct{ path, params, text string }{
		"a GET":         {"/p?q=1#f", "{}", "GET /p?q=1 host=" + host + ` agent=["the agent"] a=[] auth= length=0 encoding="" body=""`},
		"a POST":        {"", "{ body: 'é' }", "POST / host=" + host + ` agent=["the agent"] a=[] auth= length=2 encoding="" body="é"`},
		"an empty body": {"", "{ body: '' }", "POST / host=" + host + ` agent=["the agent"] a=[] auth= length=0 encoding="" body=""`},
		"a method and headers": {
			"", "{ method: 'put', headers: { a: 'b', host: 'x.test', 'user-agent': 'me' } }",
			`PUT / host=x.test agent=["me"] a=[b] auth= length=0 encoding="" body=""`,
		},
		"bytes": {
			"", "{ body: new Uint8Array([1, 97, 98, 2]).subarray(1, 3) }",
			"POST / host=" + host + ` agent=["the agent"] a=[] auth= length=2 encoding="" body="ab"`,
		},
		"a buffer": {
			"", "{ body: new Uint8Array([97]).buffer }",
			"POST / host=" + host + ` agent=["the agent"] a=[] auth= length=1 encoding="" body="a"`,
		},
	}
	for name, c := range cases {
		r := v.finish(url+c.path, c.params)
		require.Equal(t, complete, r.Outcome, r.Error)
		require.Equal(t, c.text, r.Text, name)
	}
	r := v.finish("http://user:secret@"+host, "{}")
	require.Contains(t, r.Text, "auth=Basic dXNlcjpzZWNyZXQ=")
}

func TestALargeBodyIsSent(t *testing.T) {
	t.Parallel()
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		req, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		n, _ := io.Copy(io.Discard, req.Body)
		text := fmt.Sprint(n)
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	})
	r := newVirtualUser(t).finish(url, "{ body: 'x'.repeat(3e6) }")
	require.Equal(t, "3000000", r.Text, r.Error)
}

// A server may answer before it has read the request, and hang up.
func TestAnAnswerBeforeTheBodyIsRead(t *testing.T) {
	t.Parallel()
	url := serve(t, func(conn *net.TCPConn, _ *bufio.Reader) {
		_, _ = conn.Write([]byte("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"))
		_, _ = io.Copy(io.Discard, io.LimitReader(conn, 1<<20))
	})
	r := newVirtualUser(t).finish(url, "{ body: 'x'.repeat(3e7), timeouts: { totalMs: 10000 } }")
	require.Equal(t, complete, r.Outcome, r.Error)
	require.Equal(t, 413, r.Status)
	require.False(t, r.Reused)
}
