package stream

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// truth is what a server says of its own writes: each event's bytes left between two instants.
type truth struct {
	mu     sync.Mutex
	events []written
}

type written struct{ beganMs, endedMs float64 }

func nowMs() float64 { return milliseconds(time.Now().UnixNano()) }

func (l *truth) write(send func()) {
	began := nowMs()
	send()
	l.mu.Lock()
	l.events = append(l.events, written{began, nowMs()})
	l.mu.Unlock()
}

func event(i int) string { return fmt.Sprintf("data: %d é\n\n", i) }

// requireTruth holds the stamps of a reply against the server's own instants. Every frame lies in its interval. A clock
// that is read in two places differs by less than slack. Go's HTTP/2 server says that it has flushed a little before it
// does.
func requireTruth(t *testing.T, r reply, log *truth) {
	t.Helper()
	const slackMs = 0.5
	endSlackMs := slackMs
	if r.Protocol == "HTTP/2.0" {
		endSlackMs = 25
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	require.Equal(t, complete, r.Outcome, r.Error)
	require.Len(t, r.Pieces, len(log.events))
	var late []float64
	points := 0
	for i, w := range log.events {
		require.Equal(t, event(i), r.Pieces[i])
		require.GreaterOrEqual(t, r.AtMs[i], w.beganMs-slackMs, "event %d came before it was sent", i)
		require.LessOrEqual(t, r.AfterMs[i], w.endedMs+endSlackMs, "event %d lies before its interval", i)
		require.LessOrEqual(t, r.AfterMs[i], r.AtMs[i])
		require.GreaterOrEqual(t, r.WaitMs[i], 0.0)
		if r.AfterMs[i] == r.AtMs[i] {
			points++
			late = append(late, r.AtMs[i]-w.endedMs)
		}
	}
	require.Equal(t, r.Frames-points, r.Merged)
	require.NotEmpty(t, late, "no frame has a stamp of its own")
	slices.Sort(late)
	require.Less(t, late[len(late)/2], 5.0, "the median of arrival − write")
	if runtime.GOOS == "linux" {
		require.Equal(t, "kernel", r.Stamps)
	}
}

const sse = "{ delimiters: ['\\n\\n'], timeouts: { totalMs: 20000 } }"

func TestTruthOfStamps(t *testing.T) {
	const events = 40
	t.Run("HTTP/1.1", func(t *testing.T) {
		log := &truth{}
		url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
			readRequest(requests)
			_, _ = conn.Write([]byte(chunkedHead))
			for i := range events {
				time.Sleep(8 * time.Millisecond)
				log.write(func() { _, _ = conn.Write([]byte(chunk(event(i)))) })
			}
			time.Sleep(8 * time.Millisecond)
			_, _ = conn.Write([]byte("0\r\n\r\n"))
		})
		r := newVirtualUser(t).finish(url, sse)
		require.Equal(t, "HTTP/1.1", r.Protocol)
		requireTruth(t, r, log)
	})
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol+" in TLS", func(t *testing.T) {
			log := &truth{}
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				flusher := w.(http.Flusher) //nolint:forcetypeassert // every server's is one
				flusher.Flush()
				for i := range events {
					time.Sleep(8 * time.Millisecond)
					log.write(func() {
						_, _ = w.Write([]byte(event(i)))
						flusher.Flush()
					})
				}
				time.Sleep(8 * time.Millisecond)
			}))
			server.EnableHTTP2 = protocol == "HTTP/2.0"
			server.StartTLS()
			t.Cleanup(server.Close)
			v := newVirtualUser(t)
			t.Cleanup(v.in.pool.closeAll)
			r := v.finish(server.URL, sse)
			require.Equal(t, protocol, r.Protocol)
			require.NotNil(t, r.TLSMs)
			requireTruth(t, r, log)
		})
	}
}

// kinds are the two ways to read a socket with the kernel's stamps.
func kinds(t *testing.T, test func(t *testing.T, s transport, server net.Conn)) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("stamps are the kernel's")
	}
	for name, open := range map[string]func(net.Conn) transport{
		"by a goroutine": func(conn net.Conn) transport { return newSocket(conn) },
		"by a reactor": func(conn net.Conn) transport {
			s, ok := newPolledSocket(conn)
			require.True(t, ok)
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := tcpPair(t)
			s := open(client)
			t.Cleanup(func() { _ = s.Close() })
			require.Equal(t, "kernel", s.stamps())
			test(t, s, server)
		})
	}
}

// A reader that sleeps while five events come, 20 ms apart: the kernel knows the time of the newest segment alone. So the
// last event has a stamp, and the others an interval that begins with the read before them.
func TestAStalledReader(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, s transport, server net.Conn) {
		e := &exchange{spec: &spec{maxBytes: -1}, framer: newFramer([][]byte{[]byte("\n\n")}, false)}
		e.watchdog.stage = awaiting
		r := &http1Reader{e: e, request: httptest.NewRequest(http.MethodGet, "/", nil), body: body{limit: -1}}
		read := func(until int) {
			require.NoError(t, s.feed(t.Context(), readBufferBytes, func(p []byte, a arrival) bool {
				return r.consume(p, a) && e.framer.total < until
			}))
		}
		send := func(text string) float64 {
			_, err := server.Write([]byte(text))
			require.NoError(t, err)
			return nowMs()
		}
		send(chunkedHead + chunk(event(0)))
		read(1)
		var sent []float64
		for i := 1; i <= 5; i++ {
			time.Sleep(20 * time.Millisecond)
			sent = append(sent, send(chunk(event(i))))
		}
		time.Sleep(50 * time.Millisecond)
		read(6)

		frames := e.framer.frames
		require.Len(t, frames, 6)
		require.Equal(t, 4, e.framer.merged)
		require.Equal(t, frames[0].at, frames[0].after, "alone in its read")
		for i := 1; i <= 4; i++ {
			require.Equal(t, frames[0].at, frames[i].after, "the interval begins with the read before")
			require.Equal(t, frames[5].at, frames[i].at, "and ends with the newest segment")
			require.Less(t, milliseconds(frames[i].after), sent[i-1])
			require.Greater(t, milliseconds(frames[i].at), sent[i-1])
		}
		require.Equal(t, frames[5].at, frames[5].after, "the newest segment's own")
		require.InDelta(t, sent[4], milliseconds(frames[5].at), 15)
		require.Greater(t, float64(frames[5].wake-frames[5].at)/1e6, 45.0, "it waited in the socket")
	})
}

// A read that fills its buffer has left something behind, perhaps of a newer segment: then even its last byte has no
// stamp of its own, and neither does the read after it know when its bytes came.
func TestAFullBufferHasNoStamp(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, s transport, server net.Conn) {
		var got []arrival
		read := func(limit int) {
			require.NoError(t, s.feed(t.Context(), limit, func(_ []byte, a arrival) bool {
				got = append(got, a)
				return false
			}))
		}
		_, err := server.Write([]byte("abc"))
		require.NoError(t, err)
		read(10)
		for range 2 {
			time.Sleep(10 * time.Millisecond)
			_, err = server.Write([]byte("defgh"))
			require.NoError(t, err)
		}
		time.Sleep(10 * time.Millisecond)
		read(4)
		read(100)
		require.True(t, got[0].exact)
		require.False(t, got[1].exact)
		require.True(t, got[2].exact)
		require.Equal(t, got[0].at, got[1].after)
		require.Equal(t, got[0].at, got[2].after, "the read before it had not emptied the socket")
	})
}

// Without the kernel, the time is that of the read.
func TestStampsOfAnotherConnection(t *testing.T) {
	t.Parallel()
	client, server := net.Pipe()
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	s := newSocket(client)
	require.Equal(t, "go", s.stamps())
	go func() { _, _ = server.Write([]byte("abc")) }()
	before := time.Now().UnixNano()
	require.NoError(t, s.feed(t.Context(), 10, func(p []byte, a arrival) bool {
		require.Equal(t, "abc", string(p))
		require.True(t, a.exact)
		require.GreaterOrEqual(t, a.at, before)
		require.Equal(t, a.at, a.wake)
		return false
	}))
}

// A slow consumer leaves its data in the socket, and no event is said to have come when it had not.
func TestTruthOfASlowConsumer(t *testing.T) {
	t.Parallel()
	log := &truth{}
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		_, _ = conn.Write([]byte(chunkedHead))
		for i := range 30 {
			time.Sleep(5 * time.Millisecond)
			log.write(func() { _, _ = conn.Write([]byte(chunk(event(i)))) })
		}
		_, _ = conn.Write([]byte("0\r\n\r\n"))
	})
	r := newVirtualUser(t).finish(url, "{ delimiters: ['\\n\\n'], readBytesPerSecond: 2000 }")
	require.Greater(t, r.WithheldMs, 50.0)
	require.Positive(t, r.Merged)
	require.Equal(t, complete, r.Outcome, r.Error)
	require.Len(t, r.Pieces, 30)
	log.mu.Lock()
	defer log.mu.Unlock()
	for i, w := range log.events {
		require.GreaterOrEqual(t, r.AtMs[i], w.beganMs-0.5, "event %d", i)
		require.LessOrEqual(t, r.AfterMs[i], w.endedMs+0.5, "event %d", i)
	}
}

// tcpPair is two ends of one connection.
func tcpPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, _ := listener.Accept()
		accepted <- conn
	}()
	counter := newVirtualUser(t).dialer // k6's wrapper, with its count of bytes
	client, err = counter.DialContext(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	server = <-accepted
	t.Cleanup(func() { _, _, _ = client.Close(), server.Close(), listener.Close() })
	return client, server
}
