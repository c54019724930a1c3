// Command k6 is k6 itself, built from this module's pinned version, so that a machine without k6 can run the suite.
//
// It differs from a stock k6 in two defaults of the Go runtime, which GOGC and GOMAXPROCS override as ever: a small heap may
// grow by 96 MB more before the garbage collector runs, and there are twice as many running threads as cores. Both let
// the goroutines that stamp messages run sooner when JavaScript keeps every core busy
// (docs/decisions/0006-runtime-of-bin-k6.md has the measurements).
package main

import (
	"os"
	"runtime"

	"go.k6.io/k6/v2/cmd"

	_ "github.com/k6-realtime/k6-realtime/extension"
)

const (
	ballastBytes   = 96 << 20
	threadsPerCore = 2
)

// The collector counts it as memory in use, and lets the heap grow by as much again before it runs; the kernel never gives it
// a page, because nobody writes to it.
var ballast []byte

func main() {
	if os.Getenv("GOGC") == "" {
		ballast = make([]byte, ballastBytes)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(threadsPerCore * runtime.NumCPU())
	}
	cmd.Execute()
}
