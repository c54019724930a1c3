//go:build unix

package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const chatBody = `{"messages":[{"role":"user","content":"two words"}],"stream":true,"stream_options":{"include_usage":true}%s}`

// start runs a ruler for the length of a test; its base URL and a client that trusts it.
func start(t *testing.T, s schedule, useTLS, useHTTP2 bool) (string, *http.Client) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(s, "ruler", 100)
	transport := &http.Transport{ForceAttemptHTTP2: useHTTP2}
	scheme := "http"
	if useTLS {
		made, err := makeCertificate(net.IPv4(127, 0, 0, 1))
		if err != nil {
			t.Fatal(err)
		}
		srv.tls = made.config()
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(made.pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
		scheme = "https"
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := srv.serve(listener); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = listener.Close()
		running.Wait()
	})
	return scheme + "://" + listener.Addr().String(), &http.Client{Transport: transport}
}

func post(t *testing.T, client *http.Client, url, body string) (*http.Response, string) {
	t.Helper()
	response, err := client.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

type truth struct {
	TextSessions []textSession `json:"text_sessions"`
	Own          ownCost       `json:"own"`
}

func readLog(t *testing.T, client *http.Client, url string) truth {
	t.Helper()
	response, err := client.Get(url + "/ruler/sessions")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var read truth
	if err := json.NewDecoder(response.Body).Decode(&read); err != nil {
		t.Fatal(err)
	}
	return read
}

// readTruth reads the log once its first request is over.
func readTruth(t *testing.T, client *http.Client, url string) truth {
	t.Helper()
	for {
		read := readLog(t, client, url)
		if len(read.TextSessions) > 0 && read.TextSessions[0].EndedMs+read.TextSessions[0].AbortedMs > 0 {
			return read
		}
	}
}

func TestStreamsChatOnSchedule(t *testing.T) {
	for _, mode := range []struct {
		name             string
		useTLS, useHTTP2 bool
		proto            string
	}{
		{"plain", false, false, "HTTP/1.1"},
		{"TLS", true, false, "HTTP/1.1"},
		{"HTTP/2", true, true, "HTTP/2.0"},
	} {
		t.Run(mode.name, func(t *testing.T) {
			s := schedule{first: 20 * time.Millisecond, gap: 3 * time.Millisecond, tokens: 3}
			url, client := start(t, s, mode.useTLS, mode.useHTTP2)
			beforeMs := wallMs(time.Now().UnixNano())
			response, text := post(t, client, url+"/v1/chat/completions", fmt.Sprintf(chatBody, ""))
			if response.Proto != mode.proto || response.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
				t.Errorf("%s, headers %v", response.Proto, response.Header)
			}
			events := strings.SplitAfter(strings.TrimSuffix(text, "\n\n"), "\n\n")
			if len(events) != 7 || !strings.HasSuffix(text, "data: [DONE]\n\n") {
				t.Fatalf("%d events: %s", len(events), text)
			}
			content, finish, usage := readChunks(t, events[:6])
			if content != " one two three" || finish != "stop" || usage != 4 {
				t.Errorf("content %q, finish %q, usage %d", content, finish, usage)
			}
			got := readTruth(t, client, url)
			session := got.TextSessions[0]
			kinds := strings.Join(session.WriteKinds, " ")
			if kinds != "role text text text end usage done" || session.OutputTokens != 4 || session.PromptTokens != 2 {
				t.Errorf("log %+v", session)
			}
			for token, ms := range session.WriteMs[1:5] {
				// The log is rounded to microseconds.
				if due := session.ReceivedMs + 20 + 3*float64(token); ms < due-0.002 {
					t.Errorf("token %d written %.3f ms before its instant", token, due-ms)
				}
			}
			instants := append([]float64{beforeMs, session.ReceivedMs, session.HeadersMs}, session.WriteMs...)
			instants = append(instants, session.EndedMs, wallMs(time.Now().UnixNano()))
			if !slices.IsSorted(instants) {
				t.Errorf("not in order: %v", instants)
			}
			if got.Own.Events != 7 || got.Own.LateP50Ms < 0 || got.Own.LateMaxMs < got.Own.LateP99Ms {
				t.Errorf("own %+v", got.Own)
			}
		})
	}
}

func readChunks(t *testing.T, events []string) (content, finish string, usage int) {
	t.Helper()
	for _, event := range events {
		var chunk struct {
			Choices []struct {
				Delta        struct{ Content string }
				Text         string
				FinishReason *string `json:"finish_reason"`
			}
			Usage struct {
				CompletionTokens int `json:"completion_tokens"`
			}
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(event, "data: ")), &chunk); err != nil {
			t.Fatalf("%v: %s", err, event)
		}
		usage += chunk.Usage.CompletionTokens
		for _, choice := range chunk.Choices {
			content += choice.Delta.Content + choice.Text
			if choice.FinishReason != nil {
				finish += *choice.FinishReason
			}
		}
	}
	return content, finish, usage
}

func TestMaxTokensAndTheEndOfTheSequence(t *testing.T) {
	url, client := start(t, schedule{tokens: 2}, false, false)
	for fields, want := range map[string]string{
		`,"max_tokens":1`:                   " one length 1",
		`,"max_tokens":2`:                   " one two length 2",
		`,"max_tokens":3`:                   " one two stop 3",
		`,"max_tokens":3,"ignore_eos":true`: " one two three length 3",
		`,"max_completion_tokens":1`:        " one length 1",
	} {
		_, text := post(t, client, url+"/v1/chat/completions", fmt.Sprintf(chatBody, fields))
		events := strings.SplitAfter(strings.TrimSuffix(text, "data: [DONE]\n\n"), "\n\n")
		content, finish, usage := readChunks(t, events[:len(events)-1])
		if got := fmt.Sprint(content, " ", finish, " ", usage); got != want {
			t.Errorf("%s: %q, want %q", fields, got, want)
		}
	}
}

func TestCompletionsAndWholeReplies(t *testing.T) {
	url, client := start(t, schedule{tokens: 2}, false, false)
	_, text := post(t, client, url+"/v1/completions", `{"prompt":"x","stream":true}`)
	events := strings.SplitAfter(strings.TrimSuffix(text, "data: [DONE]\n\n"), "\n\n")
	if content, _, _ := readChunks(t, events[:len(events)-1]); content != " one two" || strings.Contains(text, "role") {
		t.Errorf("completions: %s", text)
	}
	_, text = post(t, client, url+"/v1/chat/completions", `{"messages":[]}`)
	var whole struct {
		Object  string
		Choices []struct{ Message struct{ Content string } }
	}
	if err := json.Unmarshal([]byte(text), &whole); err != nil || whole.Choices[0].Message.Content != " one two" {
		t.Errorf("whole: %v %s", err, text)
	}
}

func TestRefusals(t *testing.T) {
	url, client := start(t, schedule{tokens: 2}, false, false)
	for body, status := range map[string]int{
		`{`:                              400,
		`{"stream":true}`:                400,
		`{"messages":[],"max_tokens":0}`: 400,
		`{"messages":[],"n":2}`:          400,
		`{"messages":[],"model":"nope"}`: 404,
	} {
		response, text := post(t, client, url+"/v1/chat/completions", body)
		var answer struct{ Error struct{ Code int } }
		if json.Unmarshal([]byte(text), &answer) != nil || response.StatusCode != status || answer.Error.Code != status {
			t.Errorf("%s: %d %s", body, response.StatusCode, text)
		}
	}
	if response, text := post(t, client, url+"/nothing", ""); response.StatusCode != 404 || text != `{"detail":"Not Found"}` {
		t.Errorf("%d %s", response.StatusCode, text)
	}
}

func TestResetForgets(t *testing.T) {
	url, client := start(t, schedule{tokens: 1}, false, false)
	post(t, client, url+"/v1/chat/completions", fmt.Sprintf(chatBody, ""))
	readTruth(t, client, url)
	if response, _ := post(t, client, url+"/ruler/reset", ""); response.StatusCode != 204 {
		t.Error(response.Status)
	}
	if read := readLog(t, client, url); len(read.TextSessions) != 0 || read.Own.Events != 0 {
		t.Errorf("%+v", read)
	}
}

func TestSeesAClientThatHangsUp(t *testing.T) {
	url, client := start(t, schedule{gap: time.Millisecond, tokens: 1_000_000}, false, false)
	leaving := dial(t, url)
	if _, err := bufio.NewReader(leaving).ReadString('{'); err != nil {
		t.Fatal(err)
	}
	_ = leaving.Close()
	session := readTruth(t, client, url).TextSessions[0]
	if session.AbortedMs == 0 || session.EndedMs != 0 {
		t.Errorf("aborted %f, ended %f", session.AbortedMs, session.EndedMs)
	}
}

func TestLogsWritesThatWereNotTaken(t *testing.T) {
	url, client := start(t, schedule{tokens: 200_000}, false, false)
	slow := dial(t, url)
	// Nothing is read until the server has stopped to write.
	for before, now := -1, 0; before != now || now == 0; before, now = now, readLog(t, client, url).Own.Events {
		time.Sleep(300 * time.Millisecond)
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(slow, 10_000_000)); err != nil {
		t.Fatal(err)
	}
	_ = slow.Close()
	session := readTruth(t, client, url).TextSessions[0]
	if len(session.BlockedMs) < 2 || len(session.BlockedMs)%2 != 0 || !slices.IsSorted(session.BlockedMs) {
		t.Errorf("blocked %v", session.BlockedMs)
	}
}

// dial asks for a streamed chat and reads nothing.
func dial(t *testing.T, url string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(chatBody, "")
	_, err = fmt.Fprintf(connection, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	if err != nil {
		t.Fatal(err)
	}
	return connection
}

func TestFrame(t *testing.T) {
	for _, size := range []int{1, 15, 16, 255, 4096} {
		payload := strings.Repeat("x", size)
		framed := frame(append(make([]byte, frameRoom), payload...))
		if want := fmt.Sprintf("%x\r\n%s\r\n", size, payload); string(framed) != want {
			t.Errorf("size %d: %q", size, framed)
		}
	}
}

type nullSink struct{ bytes int }

func (n *nullSink) headers() error         { return nil }
func (n *nullSink) event(buf []byte) error { n.bytes += len(frame(buf)); return nil }
func (n *nullSink) end() error             { return nil }
func (n *nullSink) body(int, []byte) error { return nil }
func (n *nullSink) blocked() []int64       { return nil }

func TestAnEventAllocatesNothing(t *testing.T) {
	const runs = 1000
	req := &request{isChat: true, isStreamed: true, count: 1 << 30}
	e := &entry{id: "x", req: req, writes: make([]int64, 0, 2*runs), kinds: make([]kind, 0, 2*runs)}
	r := newServer(schedule{tokens: 1}, "ruler", 1).newReply(e, &nullSink{}, new(atomic.Int64))
	token := 0
	if allocations := testing.AllocsPerRun(runs, func() {
		_ = r.say(token)
		token++
	}); allocations != 0 {
		t.Errorf("%v allocations an event", allocations)
	}
}
