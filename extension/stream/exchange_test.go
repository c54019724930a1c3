package stream

import "testing"

func TestAnAnswerShowsThatTheRequestWasWritten(t *testing.T) {
	for _, c := range []struct{ written, firstResponse, want int64 }{
		{0, 0, 0},   // neither happened
		{50, 0, 50}, // no answer
		{50, 60, 50},
		{70, 60, 60}, // the writer woke up late
	} {
		got := times{written: c.written, firstResponse: c.firstResponse}.writtenBy()
		if got != c.want {
			t.Errorf("written %d, answered %d: %d, not %d", c.written, c.firstResponse, got, c.want)
		}
	}
}
