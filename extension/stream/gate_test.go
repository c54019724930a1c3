package stream

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// No more continuations run at a time than there are places, while each is short.
func TestTheGateHasPlaces(t *testing.T) {
	t.Parallel()
	const places = 2
	g := newGate(places)
	var running, most atomic.Int64
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			_ = g.run(context.Background(), func() error {
				n := running.Add(1)
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				time.Sleep(100 * time.Microsecond)
				running.Add(-1)
				return nil
			})
		})
	}
	wait.Wait()
	require.LessOrEqual(t, most.Load(), int64(places))
	require.Len(t, g.places, places, "every place is back")
}

// Scripts that sleep do not queue for each other.
func TestTheGateOpensForSleepers(t *testing.T) {
	t.Parallel()
	g := newGate(1)
	started := time.Now()
	var wait sync.WaitGroup
	for range 30 {
		wait.Go(func() {
			_ = g.run(context.Background(), func() error {
				time.Sleep(200 * time.Millisecond)
				return nil
			})
		})
	}
	wait.Wait()
	require.Less(t, time.Since(started), 2*time.Second) // one after the other it would be six
	require.Len(t, g.places, 1)
}

func TestTheGateLetsGoAtTheEnd(t *testing.T) {
	t.Parallel()
	g := newGate(1)
	hold := make(chan struct{})
	go func() { _ = g.run(context.Background(), func() error { <-hold; return nil }) }()
	require.Eventually(t, func() bool { return len(g.places) == 0 }, time.Second, time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(t, g.run(ctx, func() error { return nil }))
	close(hold)
}

// A continuation that throws gives its place back.
func TestTheGateSurvivesAPanic(t *testing.T) {
	t.Parallel()
	g := newGate(1)
	require.Panics(t, func() { _ = g.run(context.Background(), func() error { panic("x") }) })
	require.Len(t, g.places, 1)
}
