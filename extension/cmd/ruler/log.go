//go:build unix

package main

import (
	"encoding/json"
	"math"
	"slices"
	"sync"
	"syscall"
	"time"
)

type kind uint8

const (
	kindRole kind = iota
	kindText
	kindEnd
	kindUsage
	kindDone
	kindBody
)

var kindNames = [...]string{"role", "text", "end", "usage", "done", "body"}

// entry is the log of one request. Instants are nanoseconds since 1970; 0 is "not seen".
type entry struct {
	id  string
	req *request

	mu                                sync.Mutex
	received, headers, ended, aborted int64
	writes                            []int64
	kinds                             []kind
	blocked                           []int64
	outputTokens                      int
}

func (e *entry) stamp(k kind) {
	e.mu.Lock()
	e.kinds = append(e.kinds, k)
	if k == kindText || k == kindEnd {
		e.outputTokens++
	}
	e.writes = append(e.writes, time.Now().UnixNano())
	e.mu.Unlock()
}

// truthLog keeps the newest requests.
type truthLog struct {
	mu       sync.Mutex
	entries  []*entry
	limit    int
	dropped  int
	cpuStart time.Duration
}

func (l *truthLog) add(e *entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) >= l.limit {
		l.entries[0] = nil
		l.entries = l.entries[1:]
		l.dropped++
	}
	l.entries = append(l.entries, e)
}

func (l *truthLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries, l.dropped, l.cpuStart = nil, 0, cpuTime()
}

// textSession is one request as the reference server shows it.
type textSession struct {
	ID           string    `json:"id"`
	Endpoint     string    `json:"endpoint"`
	Streamed     bool      `json:"streamed"`
	Choices      int       `json:"choices"`
	PromptTokens int       `json:"prompt_tokens"`
	OutputTokens int       `json:"output_tokens"`
	ReceivedMs   float64   `json:"received_ms"`
	WriteMs      []float64 `json:"write_ms"`
	WriteKinds   []string  `json:"write_kinds"`
	Status       int       `json:"status"`
	HeadersMs    float64   `json:"headers_ms,omitempty"`
	BlockedMs    []float64 `json:"blocked_ms,omitempty"`
	EndedMs      float64   `json:"ended_ms,omitempty"`
	AbortedMs    float64   `json:"aborted_ms,omitempty"`
}

// ownCost is what the ruler itself took since the last reset: how late its tokens were, and its processor time.
type ownCost struct {
	Events    int     `json:"events"`
	LateP50Ms float64 `json:"late_p50_ms"`
	LateP99Ms float64 `json:"late_p99_ms"`
	LateMaxMs float64 `json:"late_max_ms"`
	CPUMs     float64 `json:"cpu_ms"`
}

func (l *truthLog) report(s schedule, id string) []byte {
	l.mu.Lock()
	entries := slices.Clone(l.entries)
	dropped := l.dropped
	cpu := cpuTime() - l.cpuStart
	l.mu.Unlock()
	sessions := make([]textSession, 0, len(entries))
	own := ownCost{CPUMs: float64(cpu) / 1e6}
	var late []int64
	for _, e := range entries {
		if id != "" && e.id != id {
			continue
		}
		shown := e.show()
		sessions = append(sessions, shown)
		own.Events += len(shown.WriteMs)
		late = e.lateness(s, late)
	}
	if len(late) > 0 {
		slices.Sort(late)
		at := func(q float64) float64 { return float64(late[int(q*float64(len(late)-1))]) / 1e6 }
		own.LateP50Ms, own.LateP99Ms, own.LateMaxMs = at(0.5), at(0.99), at(1)
	}
	body, _ := json.Marshal(map[string]any{
		// The stamps are the wall clock's own: nothing is converted.
		"clock":         map[string]any{"offset_ms": 0, "residual_ms": 0, "anchors": 0, "steps": 0},
		"dropped":       dropped,
		"mismatches":    0,
		"sessions":      []any{},
		"text_sessions": sessions,
		"own":           own,
	})
	return body
}

func (e *entry) show() textSession {
	e.mu.Lock()
	defer e.mu.Unlock()
	shown := textSession{
		ID: e.id, Endpoint: "completions", Streamed: e.req.isStreamed, Choices: 1, Status: 200,
		PromptTokens: e.req.promptTokens, OutputTokens: e.outputTokens,
		ReceivedMs: wallMs(e.received), HeadersMs: wallMs(e.headers),
		EndedMs: wallMs(e.ended), AbortedMs: wallMs(e.aborted),
		WriteMs: wallMsAll(e.writes), WriteKinds: make([]string, len(e.kinds)), BlockedMs: wallMsAll(e.blocked),
	}
	if e.req.isChat {
		shown.Endpoint = "chat"
	}
	for i, k := range e.kinds {
		shown.WriteKinds[i] = kindNames[k]
	}
	return shown
}

// lateness appends, token by token, how many nanoseconds after its instant it was written.
func (e *entry) lateness(s schedule, late []int64) []int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	token := 0
	for i, k := range e.kinds {
		if k == kindText || k == kindEnd {
			late = append(late, e.writes[i]-e.received-int64(s.due(token)))
			token++
		}
	}
	return late
}

func wallMs(ns int64) float64 { return math.Round(float64(ns)/1e3) / 1e3 }

func wallMsAll(ns []int64) []float64 {
	ms := make([]float64, len(ns))
	for i, n := range ns {
		ms[i] = wallMs(n)
	}
	return ms
}

// cpuTime is the processor time of this process, user and system.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
