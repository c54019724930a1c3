// Command k6 is k6 itself, built from this module's pinned version, so that a machine without k6 can run the suite.
//
// It differs from a stock k6 in two defaults of the Go runtime, which GOGC and GOMAXPROCS override as ever: the garbage
// collector runs at four times the live heap's growth, and there are twice as many running threads as cores. Both let
// the goroutines that stamp messages run sooner when JavaScript keeps every core busy
// (docs/decisions/0006-runtime-of-bin-k6.md has the measurements).
package main

import (
	"os"
	"runtime"
	"runtime/debug"

	"go.k6.io/k6/v2/cmd"

	_ "github.com/k6-realtime/k6-realtime/extension"
)

const (
	gcPercent      = 400
	threadsPerCore = 2
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(threadsPerCore * runtime.NumCPU())
	}
	cmd.Execute()
}
