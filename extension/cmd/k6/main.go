// Command k6 is k6 itself, built from this module's pinned version, so that a machine without k6 can run the suite.
//
// It differs from a stock k6 in one setting of the Go runtime, which GOGC overrides as ever: how much the heap may grow before
// the garbage collector runs (docs/decisions/0006-runtime-of-bin-k6.md has the measurements).
package main

import (
	"os"

	"go.k6.io/k6/v2/cmd"

	_ "github.com/k6-realtime/k6-realtime/extension"
)

func main() {
	if os.Getenv("GOGC") == "" {
		keepHeapRoom()
	}
	cmd.Execute()
}
