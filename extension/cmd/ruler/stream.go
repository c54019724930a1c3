//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// schedule says when tokens are due: token k at the receipt of the request + first + k gaps.
type schedule struct {
	first, gap time.Duration
	tokens     int
}

func (s schedule) due(token int) time.Duration {
	return s.first + time.Duration(token)*s.gap
}

// words are the reference server's, each with the space before it.
var words = [...]string{
	" one", " two", " three", " four", " five", " six", " seven", " eight", " nine", " ten", " eleven", " twelve",
	" river", " house", " morning", " garden", " window", " paper",
}

// sink takes the bytes of one reply.
type sink interface {
	headers() error
	// event writes buf[frameRoom:], which is one event; the room before it and beyond its end is the sink's.
	event(buf []byte) error
	end() error
	body(status int, json []byte) error
	blocked() []int64
}

// frameRoom is kept free before each event, for the size that HTTP/1.1 puts before a chunk.
const frameRoom = 10

// reply writes one reply, each event at its instant and in a write of its own, without allocating for it.
type reply struct {
	*entry
	schedule schedule
	out      sink
	gone     *atomic.Int64 // when the client hung up; 0: it has not
	buf      []byte
	head     string // of every chunk, up to the list of choices
	model    string
	created  int64
}

func (s *server) newReply(e *entry, out sink, gone *atomic.Int64) *reply {
	object := "text_completion"
	if e.req.isChat {
		object = "chat.completion.chunk"
	}
	created := time.Now().Unix()
	model, _ := json.Marshal(s.model)
	head := fmt.Sprintf(`data: {"id":"%s","object":"%s","created":%d,"model":%s,"choices":[`, e.id, object, created, model)
	return &reply{
		entry: e, schedule: s.schedule, out: out, gone: gone, head: head, model: string(model), created: created,
		buf: make([]byte, frameRoom, 512),
	}
}

// run says the whole reply; an error is the client's leaving.
func (r *reply) run() error {
	e := r.entry
	var err error
	if e.req.isStreamed {
		err = r.stream()
	} else {
		r.wait(e.req.count - 1)
		if err = r.left(); err == nil {
			r.stamp(kindBody)
			err = r.out.body(200, r.whole())
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now().UnixNano()
	e.blocked = append(e.blocked, r.out.blocked()...)
	if err == nil {
		e.ended = now
	} else if e.aborted = r.gone.Load(); e.aborted == 0 {
		e.aborted = now
	}
	return err
}

func (r *reply) stream() error {
	e := r.entry
	e.mu.Lock()
	e.headers = time.Now().UnixNano()
	e.mu.Unlock()
	if err := r.out.headers(); err != nil {
		return err
	}
	for token := 0; token < e.req.count; token++ {
		r.wait(token)
		if token == 0 && e.req.isChat {
			r.add(r.head, `{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":null,"prompt_text":null}`)
			if err := r.send(kindRole); err != nil {
				return err
			}
		}
		if err := r.say(token); err != nil {
			return err
		}
	}
	if e.req.includeUsage {
		r.add(r.head, `],"usage":`, r.usage(), `,"system_fingerprint":"k6-realtime-ruler"}`)
		if err := r.send(kindUsage); err != nil {
			return err
		}
	}
	r.add("data: [DONE]")
	if err := r.send(kindDone); err != nil {
		return err
	}
	return r.out.end()
}

// say writes the event of one token.
func (r *reply) say(token int) error {
	isLast := token == r.req.count-1
	k, text := kindText, words[token%len(words)]
	if isLast && r.req.hasEnd {
		k, text = kindEnd, ""
	}
	finish := "null"
	if isLast {
		finish = r.finish()
	}
	if r.req.isChat {
		stop := ""
		if isLast {
			stop = `,"stop_reason":null`
		}
		r.add(r.head, `{"index":0,"delta":{"content":"`, text, `"},"logprobs":null,"finish_reason":`, finish, stop, `,"token_ids":null}]}`)
	} else {
		r.add(r.head, `{"index":0,"text":"`, text, `","logprobs":null,"finish_reason":`, finish, `,"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]}`)
	}
	return r.send(k)
}

func (r *reply) finish() string {
	if r.req.hasEnd {
		return `"stop"`
	}
	return `"length"`
}

func (r *reply) usage() string {
	n, m := r.req.promptTokens, r.req.count
	return fmt.Sprintf(`{"prompt_tokens":%d,"total_tokens":%d,"completion_tokens":%d}`, n, n+m, m)
}

// whole is the body of a reply that is not streamed.
func (r *reply) whole() []byte {
	text := ""
	for token := range r.req.count {
		if token < r.req.count-1 || !r.req.hasEnd {
			text += words[token%len(words)]
		}
	}
	object, content := "text_completion", `"text":"`+text+`"`
	if r.req.isChat {
		object, content = "chat.completion", `"message":{"role":"assistant","content":"`+text+`"}`
	}
	r.outputTokens = r.req.count
	return []byte(`{"id":"` + r.id + `","object":"` + object + `","created":` + strconv.FormatInt(r.created, 10) +
		`,"model":` + r.model + `,"choices":[{"index":0,` + content + `,"logprobs":null,"finish_reason":` + r.finish() +
		`,"stop_reason":null}],"usage":` + r.usage() + `}`)
}

// wait sleeps until a token's instant.
func (r *reply) wait(token int) {
	due := r.received + int64(r.schedule.due(token))
	for {
		left := due - time.Now().UnixNano()
		if left <= 0 {
			return
		}
		time.Sleep(time.Duration(left))
	}
}

// add appends the parts of one event and the blank line that ends it.
func (r *reply) add(parts ...string) {
	for _, part := range parts {
		r.buf = append(r.buf, part...)
	}
	r.buf = append(r.buf, "\n\n"...)
}

// send stamps the event in the buffer and writes it.
func (r *reply) send(k kind) error {
	if err := r.left(); err != nil {
		return err
	}
	r.stamp(k)
	err := r.out.event(r.buf)
	r.buf = r.buf[:frameRoom]
	return err
}

// left is an error once the client has hung up.
func (r *reply) left() error {
	if r.gone.Load() != 0 {
		return errGone
	}
	return nil
}
