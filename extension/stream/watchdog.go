package stream

import "time"

// progress is how far an exchange is, as its timeouts see it.
type progress int

const (
	connecting progress = iota
	awaiting            // connected; no byte of the body yet
	streaming
	ended
)

// watchdog holds the four limits of an exchange. It has one timer, which is set anew only when it fires or when the
// exchange gets on to another stage: a read merely leaves its time.
//
// Guarded by the exchange's lock.
type watchdog struct {
	limits  limits
	timer   *time.Timer
	stage   progress
	started time.Duration // all instants on the monotonic clock, since the process began
	since   time.Duration // of the stage; while streaming: of the last read
	paused  bool          // the reader waits of its own will
}

// limits are durations; 0 = none.
type limits struct {
	connect, firstByte, idle, total time.Duration
}

// next is the earliest deadline, and what it would be called; 0 if there is none.
func (w *watchdog) next() (deadline time.Duration, what outcome) {
	if w.limits.total > 0 {
		deadline, what = w.started+w.limits.total, totalTimeout
	}
	limit, name := time.Duration(0), failed
	switch w.stage {
	case connecting:
		limit, name = w.limits.connect, connectTimeout
	case awaiting:
		limit, name = w.limits.firstByte, firstByteTimeout
	case streaming:
		if !w.paused {
			limit, name = w.limits.idle, idleTimeout
		}
	default:
		return 0, ""
	}
	if limit > 0 && (deadline == 0 || w.since+limit < deadline) {
		deadline, what = w.since+limit, name
	}
	return deadline, what
}

// enter begins a stage and sets the timer for it.
func (w *watchdog) enter(stage progress, now time.Duration) {
	w.stage, w.since = stage, now
	w.arm(now)
}

func (w *watchdog) arm(now time.Duration) {
	if w.timer == nil {
		return
	}
	deadline, _ := w.next()
	if deadline == 0 {
		w.timer.Stop()
		return
	}
	w.timer.Reset(max(0, deadline-now))
}

// expired is called by the timer. It names the limit that is over, or sets the timer again.
func (w *watchdog) expired(now time.Duration) (outcome, bool) {
	deadline, what := w.next()
	if deadline == 0 {
		return "", false
	}
	if deadline > now {
		w.timer.Reset(deadline - now)
		return "", false
	}
	return what, true
}
