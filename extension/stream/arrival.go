package stream

import "time"

// arrival says when a piece of a stream came, in nanoseconds since 1970.
//
// The kernel keeps one stamp for each segment in the socket and hands over that of the newest one a read has touched.
// So at is an upper bound for every byte of the read. It is the arrival of the read's last byte, unless the read stopped
// because its buffer was full: then the rest of the segment, and with it a newer stamp, may have been left behind. after
// is a lower bound: the stamp of the last read that had emptied the socket.
type arrival struct {
	at    int64
	after int64
	wake  int64 // when user space had it
	// exact: at is the arrival of the piece's last byte. All others are only known to lie in (after, at].
	exact bool
	since time.Duration // wake on the monotonic clock, since the process began
}

// processStart anchors the monotonic clock of timeouts.
var processStart = time.Now()

// milliseconds turns nanoseconds since 1970 into milliseconds; 0 is "did not happen", which the caller has excluded.
func milliseconds(ns int64) float64 { return float64(ns) / 1e6 }
