package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestGCPercentGivesRoomWithinItsBounds(t *testing.T) {
	const mb = 1 << 20
	for _, test := range []struct {
		live, room uint64
	}{
		{0, 64 * mb},
		{4 * mb, 64 * mb},
		{20 * mb, 100 * mb},
		{50 * mb, 250 * mb},
		{100 * mb, 256 * mb},
		{1024 * mb, 256 * mb},
	} {
		live := max(test.live, 4*mb)
		room := live * uint64(gcPercent(test.live)) / 100
		// A whole number of percent.
		if room > test.room || room+live/100 < test.room {
			t.Errorf("a heap of %d bytes has room of %d, not %d", test.live, room, test.room)
		}
	}
}

func TestEachCollectionSetsTheRoomAnew(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	keepHeapRoom()
	kept := make([]byte, 300<<20)
	// The finalizer of one collection may run during the next.
	for range 10 {
		runtime.GC()
		runtime.Gosched()
		if percent := debug.SetGCPercent(-1); percent > 0 && percent <= 90 {
			runtime.KeepAlive(kept)
			return
		} else {
			debug.SetGCPercent(percent)
		}
	}
	t.Error("a heap of 300 MB never got a smaller share of room")
}
