package stream

import "sync"

// Storage of frames that is larger than this is left to the garbage collector.
const (
	maxKeptBytes  = 1 << 20
	maxKeptFrames = 16 << 10
)

var storage = sync.Pool{New: func() any {
	return &piece{bytes: make([]byte, 0, 32<<10), frames: make([]frame, 0, 128)}
}}

func takeStorage() piece {
	return *storage.Get().(*piece) //nolint:forcetypeassert // the pool holds nothing else
}

func putStorage(p piece) {
	if cap(p.bytes) == 0 || cap(p.bytes) > maxKeptBytes || cap(p.frames) > maxKeptFrames {
		return
	}
	p.bytes, p.frames = p.bytes[:0], p.frames[:0]
	storage.Put(&p)
}
