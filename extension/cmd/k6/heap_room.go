package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// The heap may grow by so many times what is alive...
	roomPerLive = 5
	// ...and by no less and no more than this.
	leastRoom = 64 << 20
	mostRoom  = 256 << 20
)

// keepHeapRoom sets, now and after each collection, by how much the heap may grow before the next one.
//
// A collection takes a core away for a tenth of a second from goroutines that should stamp, so collections should be few.
// Go's own rule, a share of what is alive, gives little room to a small heap, which has collections in plenty, and much to a
// large one, which is over its memory.
func keepHeapRoom() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	debug.SetGCPercent(gcPercent(live[0].Value.Uint64()))
	// A finalizer runs once, after the next collection.
	runtime.SetFinalizer(new([64]byte), func(*[64]byte) { keepHeapRoom() })
}

// gcPercent is the value of GOGC that gives a heap of so many live bytes its room.
func gcPercent(live uint64) int {
	// Before the first collection nothing is known to be alive, and Go takes 4 MB.
	live = max(live, 4<<20)
	room := min(max(live*roomPerLive, leastRoom), mostRoom)
	return int(min(100*room/live, math.MaxInt32))
}
