package stream

import (
	"bufio"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Events are given as they come, each once, and finish() has the rest.
func TestReadingLive(t *testing.T) {
	t.Parallel()
	proceed := make(chan struct{})
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		_, _ = conn.Write([]byte(chunkedHead))
		for i := range 4 {
			<-proceed
			_, _ = conn.Write([]byte(chunk(event(i))))
		}
		_, _ = conn.Write([]byte("0\r\n\r\n"))
	})
	v := newVirtualUser(t)
	require.NoError(t, v.runtime.VU.Runtime().Set("proceed", func() { proceed <- struct{}{} }))
	got := value[map[string]any](v, fmt.Sprintf(`
		const x = request(%q, { delimiters: ['\n\n'] });
		const head = await x.headers();
		const pieces = [];
		for (let i = 0; i < 2; i++) { proceed(); pieces.push(...frames(await x.read())); }
		proceed(); proceed();
		const r = await x.finish();
		return { status: head.status, again: (await x.headers()).status, pieces, rest: frames(r), frames: r.frames,
			bytes: r.bytesReceived, end: await x.read(), same: (await x.finish()) === r };`, url))
	require.Equal(t, map[string]any{
		"status": 200.0, "again": 200.0, "pieces": []any{event(0), event(1)}, "rest": []any{event(2), event(3)},
		"frames": 4.0, "bytes": 4.0 * float64(len(event(0))), "end": nil, "same": true,
	}, got)
}

// Several reads at a time are answered in their order; those for which nothing is left get null.
func TestReadsInARow(t *testing.T) {
	t.Parallel()
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		_, _ = conn.Write([]byte(chunkedHead + chunk("a\n")))
		time.Sleep(50 * time.Millisecond)
		_, _ = conn.Write([]byte(chunk("b\n") + "0\r\n\r\n"))
	})
	got := value[[]any](newVirtualUser(t), fmt.Sprintf(`const x = request(%q, { delimiters: ['\n'] });
		const all = await Promise.all([x.headers(), x.read(), x.read(), x.read(), x.finish(), x.read()]);
		return all.map((b) => b === null ? null : b.text === undefined ? b.status : b.text);`, url))
	require.Equal(t, []any{200.0, "a\n", "b\n", nil, "", nil}, got)
}

// An exchange that fails answers everything that was asked.
func TestAFailureAnswersEverything(t *testing.T) {
	t.Parallel()
	got := value[[]any](newVirtualUser(t), `const x = request('http://nowhere.test/');
		const [h, b, r] = await Promise.all([x.headers(), x.read(), x.finish()]);
		const late = await x.headers();
		return [h.status, Object.keys(h.headers).length, h.protocol, b, r.outcome, r.status, late.status];`)
	require.Equal(t, []any{0.0, 0.0, "", nil, "dns_failed", 0.0, 0.0}, got)
}

func TestBinary(t *testing.T) {
	t.Parallel()
	url := answer(t, chunkedHead+chunk("\xff\x00\xc3")+chunk("\xa9\n")+"0\r\n\r\n")
	v := newVirtualUser(t)
	got := value[[]any](v, fmt.Sprintf(`const r = await request(%q, { binary: true, delimiters: ['\n'] }).finish();
		return [r.text, Array.from(new Uint8Array(r.bytes)), floats(r.ends)];`, url))
	require.Equal(t, []any{"", []any{255.0, 0.0, 195.0, 169.0, 10.0}, []any{5.0}}, got)
	require.Equal(t, true, value[bool](v, fmt.Sprintf("return (await request(%q).finish()).bytes === undefined", url)))
}

// A character that is cut in two by the network is whole in the text, wherever it is cut, and so are its offsets.
func TestTextThatIsCutAnywhere(t *testing.T) {
	t.Parallel()
	text := "aé€😀z"
	v := newVirtualUser(t)
	for cut := 1; cut < len(text); cut++ {
		url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
			readRequest(requests)
			_, _ = conn.Write([]byte(chunkedHead + chunk(text[:cut])))
			time.Sleep(20 * time.Millisecond)
			_, _ = conn.Write([]byte(chunk(text[cut:]) + "0\r\n\r\n"))
		})
		r := v.finish(url, "{}")
		require.Equal(t, text, r.Text, "cut at %d", cut)
		require.Equal(t, text, strings.Join(r.Pieces, ""))
		require.Equal(t, text, value[string](v, fmt.Sprintf(`const x = request(%q); let all = '';
			for (let b = await x.read(); b !== null; b = await x.read()) all += b.text; return all;`, url)), "cut at %d", cut)
	}
}

func TestInvalidTextIsReplaced(t *testing.T) {
	t.Parallel()
	url := answer(t, chunkedHead+chunk("a\xff\n\xe2\x82\nb\xc3")+"0\r\n\r\n")
	r := newVirtualUser(t).finish(url, "{ delimiters: ['\\n'] }")
	require.Equal(t, []string{"a\ufffd\n", "\ufffd\n", "b\ufffd"}, r.Pieces)
	require.Equal(t, 8, r.BytesReceived)
}

// A million events read live: what has been given is not kept. The server goes no further ahead than memory may grow.
func TestAMillionEventsInFlatMemory(t *testing.T) {
	const events, each, ahead = 1_000_000, 100, 50_000
	line := "data: " + strings.Repeat("x", each-8) + "\n\n"
	var taken atomic.Int64
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		_, _ = conn.Write([]byte(chunkedHead))
		block := []byte(chunk(strings.Repeat(line, 50)))
		for sent := int64(0); sent < events; sent += 50 {
			for sent > taken.Load()+ahead {
				time.Sleep(100 * time.Microsecond)
			}
			if _, err := conn.Write(block); err != nil {
				return
			}
		}
		_, _ = conn.Write([]byte("0\r\n\r\n"))
	})
	v := newVirtualUser(t)
	var peak uint64
	next := int64(0)
	require.NoError(t, v.runtime.VU.Runtime().Set("took", func(n int64) {
		if taken.Add(n) < next {
			return
		}
		next += events / 10
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
	}))
	got := value[[]float64](v, fmt.Sprintf(`const x = request(%q, { delimiters: ['\n\n'] });
		let count = 0, units = 0;
		for (let b = await x.read(); b !== null; b = await x.read()) {
			const n = b.ends.byteLength / 8;
			count += n; units += b.text.length; took(n);
		}
		const r = await x.finish();
		return [count, units, r.frames, r.text.length, r.bytesReceived];`, url))
	require.Equal(t, []float64{events, events * each, events, 0, events * each}, got)
	// All of it is 100 MB of text and 32 MB of stamps; 50,000 events are 7 MB, and are held more than once.
	require.Less(t, peak, uint64(64<<20))
}

// A slow consumer takes no more than it should, and says how long it held back. The server has to wait for it.
func TestASlowConsumer(t *testing.T) {
	t.Parallel()
	const size, perSecond = 400_000, 400_000
	blocked := make(chan time.Duration, 1)
	url := serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		readRequest(requests)
		_ = conn.SetWriteBuffer(4096)
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
		started := time.Now()
		_, _ = conn.Write(make([]byte, size))
		blocked <- time.Since(started)
	})
	params := fmt.Sprintf("{ readBytesPerSecond: %d, receiveBufferBytes: 4096, timeouts: { idleMs: 300 } }", perSecond)
	r := newVirtualUser(t).finish(url, params)
	require.Equal(t, complete, r.Outcome, r.Error)
	require.Equal(t, size, r.BytesReceived)
	require.GreaterOrEqual(t, *r.EndMs-*r.StartMs, 900.0)
	require.GreaterOrEqual(t, r.WithheldMs, 900.0)
	require.Greater(t, <-blocked, 500*time.Millisecond)
}
