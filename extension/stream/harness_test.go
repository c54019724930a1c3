package stream

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grafana/sobek"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/js/modulestest"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/lib/netext"
	"go.k6.io/k6/v2/lib/types"
	"go.k6.io/k6/v2/metrics"
	"gopkg.in/guregu/null.v3"
)

// virtualUser runs scripts as k6 does: an event loop, a context for each iteration, k6's own dialer.
type virtualUser struct {
	t       *testing.T
	runtime *modulestest.Runtime
	state   *lib.State
	dialer  *netext.Dialer
	samples chan metrics.SampleContainer
	in      *instance
}

// names resolves what a test wants resolved.
type names map[string]string

func (n names) LookupIP(host string) (net.IP, error) {
	if address, ok := n[host]; ok {
		return net.ParseIP(address), nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func newVirtualUser(t *testing.T) *virtualUser {
	t.Helper()
	rt := modulestest.NewRuntime(t)
	in := newInstance(rt.VU)
	dialer := netext.NewDialer(net.Dialer{Timeout: 30 * time.Second}, names{"name.test": "127.0.0.1"})
	logger := logrus.New()
	logger.SetOutput(testWriter{t})
	samples := make(chan metrics.SampleContainer, 10_000)
	registry := rt.VU.InitEnv().Registry
	state := &lib.State{
		Options: lib.Options{
			SystemTags: &metrics.DefaultSystemTagSet,
			UserAgent:  null.StringFrom("the agent"),
			Batch:      null.IntFrom(20), BatchPerHost: null.IntFrom(6),
		},
		BuiltinMetrics: rt.BuiltinMetrics,
		Logger:         logger,
		Dialer:         dialer,
		TLSConfig:      &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // a test's own certificate
		Samples:        samples,
		Tags:           lib.NewVUStateTags(registry.RootTagSet().With("scenario", "test")),
	}
	rt.MoveToVUContext(state)
	require.NoError(t, rt.VU.Runtime().Set("request", in.request))
	v := &virtualUser{t: t, runtime: rt, state: state, dialer: dialer, samples: samples, in: in}
	t.Cleanup(in.pool.closeAll)
	return v
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// iterate runs one iteration: the body of an async function, whose result comes back as JSON.
func (v *virtualUser) iterate(code string) string {
	v.t.Helper()
	result, err := v.tryIterate(context.Background(), code)
	require.NoError(v.t, err)
	return result
}

func (v *virtualUser) tryIterate(parent context.Context, code string) (string, error) {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	v.runtime.VU.CtxField = ctx
	rt := v.runtime.VU.Runtime()
	result := "undefined"
	if err := rt.Set("done", func(text string) { result = text }); err != nil {
		return "", err
	}
	script := "(async () => {" + helpers + code + "\n})().then((v) => done(v === undefined ? 'undefined' : JSON.stringify(v)))"
	interrupted := make(chan struct{})
	stop := context.AfterFunc(parent, func() {
		rt.Interrupt(context.Canceled)
		close(interrupted)
	})
	defer func() {
		if !stop() {
			<-interrupted
		}
		rt.ClearInterrupt()
	}()
	err := v.runtime.EventLoop.Start(func() error {
		_, err := rt.RunString(script)
		return err
	})
	cancel()
	v.runtime.EventLoop.WaitOnRegistered()
	return result, err
}

// helpers are there in every script: numbers out of a buffer, and a reply without its buffers.
const helpers = `
const floats = (b) => Array.from(new Float64Array(b));
const frames = (b) => { let from = 0; return floats(b.ends).map((end) => { const f = b.text.substring(from, end); from = end; return f; }); };
const open = (b) => ({ ...b, ends: floats(b.ends), atMs: floats(b.atMs), afterMs: floats(b.afterMs), waitMs: floats(b.waitMs), pieces: frames(b) });
`

// reply is a Reply as a test reads it.
type reply struct {
	Status        int
	Headers       map[string]string
	Protocol      string
	Text          string
	Ends          []float64
	AtMs          []float64
	AfterMs       []float64
	WaitMs        []float64
	Pieces        []string
	Outcome       outcome
	Error         string
	Attempts      int
	Reused        bool
	RemoteAddress string
	Stamps        string
	BytesReceived int
	StartMs       *float64
	DNSMs         *float64
	ConnectMs     *float64
	TLSMs         *float64
	WrittenMs     *float64
	HeadersMs     *float64
	FirstByteMs   *float64
	EndMs         *float64
	WithheldMs    float64
	Frames        int
	Merged        int
}

// finish makes one request and reads it to its end.
func (v *virtualUser) finish(url, params string) reply {
	v.t.Helper()
	return v.reply(fmt.Sprintf("return open(await request(%q, %s).finish());", url, params))
}

func (v *virtualUser) reply(code string) reply {
	v.t.Helper()
	var r reply
	text := v.iterate(code)
	require.NoError(v.t, json.Unmarshal([]byte(text), &r), text)
	return r
}

// value runs a script and reads its result.
func value[T any](v *virtualUser, code string) T {
	v.t.Helper()
	var result T
	text := v.iterate(code)
	require.NoError(v.t, json.Unmarshal([]byte(text), &result), text)
	return result
}

// serve answers every connection with a handler, which may do to it what it likes.
func serve(t *testing.T, handle func(conn *net.TCPConn, requests *bufio.Reader)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var (
		wait  sync.WaitGroup
		mu    sync.Mutex
		conns []net.Conn
	)
	wait.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			wait.Go(func() {
				defer func() { _ = conn.Close() }()
				handle(conn.(*net.TCPConn), bufio.NewReader(conn)) //nolint:forcetypeassert // the listener is TCP's
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		wait.Wait()
	})
	return "http://" + listener.Addr().String()
}

// answer serves one fixed response to one request on each connection, and closes.
func answer(t *testing.T, response string) string {
	t.Helper()
	return serve(t, func(conn *net.TCPConn, requests *bufio.Reader) {
		if readRequest(requests) {
			_, _ = conn.Write([]byte(response))
		}
	})
}

// readRequest takes one request with its body off a connection.
func readRequest(from *bufio.Reader) bool {
	req, err := http.ReadRequest(from)
	if err != nil {
		return false
	}
	_, err = new(bytes.Buffer).ReadFrom(req.Body)
	return err == nil
}

// goroutines lists those that run this package's own code, without those of its tests' servers.
func goroutines() []string {
	buffer := make([]byte, 1<<20)
	buffer = buffer[:runtime.Stack(buffer, true)]
	var found []string
	for _, stack := range strings.Split(string(buffer), "\n\n") {
		if strings.Contains(stack, "/extension/stream.(*exchange)") ||
			strings.Contains(stack, "/extension/stream.(*http1Conn)") ||
			strings.Contains(stack, "/extension/stream.dial") {
			found = append(found, stack)
		}
	}
	return found
}

// TestMain looks for what all the tests together have left behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := waitForGoroutines(); len(left) > 0 && code == 0 {
		fmt.Println("goroutines are left:\n" + strings.Join(left, "\n\n"))
		code = 1
	}
	os.Exit(code)
}

// waitForGoroutines gives those that do not go away.
func waitForGoroutines() (left []string) {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if left = goroutines(); len(left) == 0 {
			break
		}
	}
	return left
}

// sockets counts the process's open sockets; -1 where nobody can tell.
func sockets() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	n := 0
	for _, entry := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil && strings.HasPrefix(target, "socket:") {
			n++
		}
	}
	return n
}

func blockNames(t *testing.T, patterns ...string) *types.HostnameTrie {
	t.Helper()
	trie, err := types.NewHostnameTrie(patterns)
	require.NoError(t, err)
	return trie
}

var _ sobek.DynamicObject = (*exchangeObject)(nil)
