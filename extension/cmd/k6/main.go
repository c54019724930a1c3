// Command k6 is k6 itself, built from this module's pinned version, so that a machine without k6 can run the suite.
package main

import "go.k6.io/k6/v2/cmd"

func main() { cmd.Execute() }
