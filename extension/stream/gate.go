package stream

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// gate lets only so many continuations of scripts run at a time, in all of the process. A continuation is what a script
// does between one await and the next: it parses a whole reply, and many of them at once would keep every core from the
// goroutines that read.
//
// A continuation may also sleep or make a blocking request. Then it holds a place and no core, and others would queue
// for nothing. So a place is lent for a moment only, and one that is not back by then opens the gate for a while.
type gate struct {
	places    chan int
	taken     []atomic.Int64 // since when each place is taken, on the process's monotonic clock; 0 = it is free
	openUntil atomic.Int64
}

const (
	gateLoan = 50 * time.Millisecond
	gateOpen = time.Second
)

// scripts is the process's gate: all cores but one, and at least one.
var scripts = newGate(max(1, runtime.NumCPU()-1))

func newGate(places int) *gate {
	g := &gate{places: make(chan int, places), taken: make([]atomic.Int64, places)}
	for place := range places {
		g.places <- place
	}
	return g
}

// run calls f once there is a place for it, or at once when ctx is done.
//
// Before and after it, sockets are read: this goroutine has a core, which the reader may have to wait for.
func (g *gate) run(ctx context.Context, f func() error) error {
	readNow()
	defer readNow()
	if g.isOpen() {
		return f()
	}
	var place int
	select {
	case place = <-g.places:
	default:
		var ok bool
		if place, ok = g.wait(ctx); !ok {
			return f()
		}
	}
	g.taken[place].Store(int64(time.Since(processStart)))
	defer func() {
		g.taken[place].Store(0)
		g.places <- place
	}()
	return f()
}

// wait queues for a place. It returns false if it came to an end without one.
func (g *gate) wait(ctx context.Context) (place int, ok bool) {
	ticker := time.NewTicker(gateLoan)
	defer ticker.Stop()
	for {
		select {
		case place = <-g.places:
			return place, true
		case <-ctx.Done():
			return 0, false
		case <-ticker.C:
			if g.isOpen() || g.openIfHeld() {
				return 0, false
			}
		}
	}
}

func (g *gate) isOpen() bool { return int64(time.Since(processStart)) < g.openUntil.Load() }

// openIfHeld opens the gate if a place was taken for longer than it is lent.
func (g *gate) openIfHeld() bool {
	now := time.Since(processStart)
	for i := range g.taken {
		if since := g.taken[i].Load(); since != 0 && now-time.Duration(since) > gateLoan {
			g.openUntil.Store(int64(now + gateOpen))
			return true
		}
	}
	return false
}
