//go:build unix

package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

var errGone = errors.New("the client hung up")

const maxBody = 64 << 20

type server struct {
	schedule schedule
	model    string
	log      *truthLog
	tls      *tls.Config // nil: plain
}

func newServer(s schedule, model string, logSessions int) *server {
	return &server{schedule: s, model: model, log: &truthLog{limit: logSessions, cpuStart: cpuTime()}}
}

// serve accepts until the listener is closed.
func (s *server) serve(listener net.Listener) error {
	for {
		accepted, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go s.serveConn(accepted.(*net.TCPConn))
	}
}

func (s *server) serveConn(tcp *net.TCPConn) {
	defer func() { _ = tcp.Close() }()
	carrier, err := newConn(tcp)
	if err != nil {
		return
	}
	if s.tls == nil {
		s.serveHTTP1(carrier, carrier)
		return
	}
	secure := tls.Server(carrier, s.tls)
	if secure.Handshake() != nil {
		return
	}
	if secure.ConnectionState().NegotiatedProtocol == "h2" {
		// The server of HTTP/2 writes from a goroutine of its own.
		(&http2.Server{MaxConcurrentStreams: 1 << 20}).ServeConn(secure, &http2.ServeConnOpts{
			Handler: http.HandlerFunc(s.serveHTTP2),
		})
		return
	}
	s.serveHTTP1(secure, carrier)
}

// serveHTTP1 answers the requests of one connection, one after the other.
func (s *server) serveHTTP1(stream net.Conn, carrier *conn) {
	reader := bufio.NewReader(stream)
	for {
		req, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		body, err := io.ReadAll(io.LimitReader(req.Body, maxBody))
		if err != nil {
			return
		}
		received := time.Now().UnixNano()
		out := &http1{stream: stream, carrier: carrier}
		if !isText(req) {
			status, answer := s.answer(req)
			if out.body(status, answer) != nil {
				return
			}
			continue
		}
		// The next byte is the next request's; an error is the client's leaving.
		gone := new(atomic.Int64)
		next := make(chan error, 1)
		go func() {
			_, err := reader.Peek(1)
			if err != nil {
				gone.Store(time.Now().UnixNano())
			}
			next <- err
		}()
		if s.reply(req, body, received, out, gone) != nil || <-next != nil {
			return
		}
	}
}

func (s *server) serveHTTP2(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, maxBody))
	if err != nil {
		return
	}
	received := time.Now().UnixNano()
	out := &http2Sink{w: w, control: http.NewResponseController(w)}
	if !isText(req) {
		_ = out.body(s.answer(req))
		return
	}
	gone := new(atomic.Int64)
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-req.Context().Done():
			gone.Store(time.Now().UnixNano())
		case <-done:
		}
	}()
	_ = s.reply(req, body, received, out, gone)
}

func isText(req *http.Request) bool {
	path := req.URL.Path
	return req.Method == http.MethodPost && (path == "/v1/chat/completions" || path == "/v1/completions")
}

// reply answers one request for text.
func (s *server) reply(req *http.Request, body []byte, received int64, out sink, gone *atomic.Int64) error {
	isChat := req.URL.Path == "/v1/chat/completions"
	asked, refused := s.readRequest(isChat, body)
	if refused != nil {
		return out.body(refused.status, refused.body())
	}
	prefix := "cmpl-"
	if isChat {
		prefix = "chatcmpl-"
	}
	var random [8]byte
	_, _ = rand.Read(random[:])
	events := asked.count + 3
	if !asked.isStreamed {
		events = 1
	}
	e := &entry{
		id: prefix + hex.EncodeToString(random[:]), req: asked, received: received,
		writes: make([]int64, 0, events), kinds: make([]kind, 0, events),
	}
	s.log.add(e)
	return s.newReply(e, out, gone).run()
}

// answer answers what is not a request for text.
func (s *server) answer(req *http.Request) (int, []byte) {
	switch req.Method + " " + req.URL.Path {
	case "GET /health":
		return 200, nil
	case "GET /v1/models":
		model, _ := json.Marshal(s.model)
		return 200, fmt.Appendf(nil, `{"object":"list","data":[{"id":%s,"object":"model","created":0,"owned_by":"k6-realtime"}]}`, model)
	case "GET /ruler/sessions":
		return 200, s.log.report(s.schedule, req.URL.Query().Get("id"))
	case "POST /ruler/reset", "DELETE /ruler/sessions":
		s.log.reset()
		return 204, nil
	default:
		return 404, []byte(`{"detail":"Not Found"}`)
	}
}

// http1 writes a reply with its own chunk framing: one call of the connection for each event.
type http1 struct {
	stream  net.Conn
	carrier *conn
}

var streamHead = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n" +
	"Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n")

var lastChunk = []byte("0\r\n\r\n")

func (h *http1) headers() error {
	_, err := h.stream.Write(streamHead)
	return err
}

func (h *http1) event(buf []byte) error {
	_, err := h.stream.Write(frame(buf))
	return err
}

// frame puts the size of a chunk before it, into its room, and a line end after it.
func frame(buf []byte) []byte {
	var digits [8]byte
	size := strconv.AppendInt(digits[:0], int64(len(buf)-frameRoom), 16)
	from := frameRoom - 2 - len(size)
	copy(buf[from:], size)
	copy(buf[frameRoom-2:], "\r\n")
	return append(buf, "\r\n"...)[from:]
}

func (h *http1) end() error {
	_, err := h.stream.Write(lastChunk)
	return err
}

func (h *http1) body(status int, json []byte) error {
	var head bytes.Buffer
	fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	if status != http.StatusNoContent {
		fmt.Fprintf(&head, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(json))
	}
	head.WriteString("\r\n")
	head.Write(json)
	_, err := h.stream.Write(head.Bytes())
	return err
}

func (h *http1) blocked() []int64 { return h.carrier.takeBlocked() }

// http2Sink writes a reply through Go's own server, flushing after each event. It does not know when a window is full.
type http2Sink struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (h *http2Sink) headers() error {
	header := h.w.Header()
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no")
	h.w.WriteHeader(200)
	return h.control.Flush()
}

func (h *http2Sink) event(buf []byte) error {
	if _, err := h.w.Write(buf[frameRoom:]); err != nil {
		return err
	}
	return h.control.Flush()
}

func (h *http2Sink) end() error { return nil }

func (h *http2Sink) body(status int, json []byte) error {
	h.w.Header().Set("Content-Type", "application/json")
	h.w.WriteHeader(status)
	_, err := h.w.Write(json)
	return err
}

func (h *http2Sink) blocked() []int64 { return nil }
