// Command k6 is k6 itself, built from this module's pinned version, so that a machine without k6 can run the suite.
//
// It differs from a stock k6 in two settings of the Go runtime, which GOGC and GOMAXPROCS override as ever: how much the
// heap may grow before the garbage collector runs, and twice as many running threads as cores. Both let the goroutines
// that stamp messages run sooner when JavaScript keeps every core busy
// (docs/decisions/0006-runtime-of-bin-k6.md has the measurements).
package main

import (
	"os"
	"runtime"

	"go.k6.io/k6/v2/cmd"

	_ "github.com/k6-realtime/k6-realtime/extension"
)

const threadsPerCore = 2

func main() {
	if os.Getenv("GOGC") == "" {
		keepHeapRoom()
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(threadsPerCore * runtime.NumCPU())
	}
	cmd.Execute()
}
