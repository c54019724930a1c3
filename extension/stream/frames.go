package stream

import "bytes"

// frame is where a piece of the body ends in the gathered bytes, and when it came.
type frame struct {
	end             int
	at, after, wake int64
}

// delimiter is one text that ends a frame, with what is known of its next occurrence in the gathered bytes.
type delimiter struct {
	text []byte
	end  int // where its next occurrence ends; -1: there is none yet
	from int // no occurrence that is still of interest starts before here
}

// framer gathers the body and cuts it into frames: after delimiters, or at the end of every read.
//
// Only whole frames are given away. What follows the last delimiter stays, and becomes a frame at the end of the stream.
// Without delimiters a frame ends at a whole character unless the body is binary.
type framer struct {
	delimiters []delimiter
	binary     bool

	bytes  []byte
	frames []frame

	total, merged int // frames so far; those of them without a point stamp
	latest        arrival
}

// append adds bytes of one read. cut must follow, once for the read.
func (f *framer) append(p []byte) { f.bytes = append(f.bytes, p...) }

// cut makes frames of what the read has completed. a is the arrival of the last byte gathered; it is the arrival of the
// last frame if that ends there. Every other frame of the read shares the stamp of what came after it.
func (f *framer) cut(a arrival) {
	f.latest = a
	if len(f.delimiters) == 0 {
		end := len(f.bytes)
		if !f.binary {
			end -= unfinishedCharacter(f.bytes)
		}
		if end > f.given() {
			f.add(end, a, a.exact && end == len(f.bytes))
		}
		return
	}
	for {
		end := f.nextEnd()
		if end < 0 {
			return
		}
		f.add(end, a, a.exact && end == len(f.bytes))
	}
}

// given is where the last frame ends.
func (f *framer) given() int {
	if len(f.frames) == 0 {
		return 0
	}
	return f.frames[len(f.frames)-1].end
}

func (f *framer) add(end int, a arrival, isPoint bool) {
	after := a.at
	if !isPoint {
		after = min(a.after, a.at)
		f.merged++
	}
	f.total++
	f.frames = append(f.frames, frame{end: end, at: a.at, after: after, wake: a.wake})
}

// nextEnd finds where the delimiter ends that ends first after the last frame; -1 if there is none yet.
func (f *framer) nextEnd() int {
	start := f.given()
	best := -1
	for i := range f.delimiters {
		d := &f.delimiters[i]
		if d.end < 0 || d.end-len(d.text) < start {
			d.search(f.bytes, start)
		}
		if d.end >= 0 && (best < 0 || d.end < best) {
			best = d.end
		}
	}
	return best
}

// search looks where nobody has looked, and far enough back for a delimiter that came in two reads.
func (d *delimiter) search(p []byte, start int) {
	from := max(start, d.from)
	i := -1
	if from < len(p) {
		i = bytes.Index(p[from:], d.text)
	}
	if i < 0 {
		d.end, d.from = -1, max(from, len(p)-len(d.text)+1)
		return
	}
	d.end, d.from = from+i+len(d.text), from+i+1
}

// finish makes a last frame of what has no end of its own.
func (f *framer) finish() {
	if end := len(f.bytes); end > f.given() {
		f.add(end, f.latest, f.latest.exact)
	}
}

// piece is a number of whole frames, taken out of a framer.
type piece struct {
	bytes  []byte
	frames []frame
}

// isEmpty says that there is no whole frame to take.
func (f *framer) isEmpty() bool { return len(f.frames) == 0 }

// take gives the whole frames away. The framer goes on with the storage of an older piece.
func (f *framer) take(storage piece) piece {
	end := f.given()
	rest := f.bytes[end:]
	taken := piece{bytes: f.bytes[:end], frames: f.frames}
	f.bytes = append(storage.bytes[:0], rest...)
	f.frames = storage.frames[:0]
	for i := range f.delimiters {
		d := &f.delimiters[i]
		d.end, d.from = -1, max(0, d.from-end)
	}
	return taken
}

func newFramer(delimiters [][]byte, binary bool) framer {
	f := framer{binary: binary}
	for _, text := range delimiters {
		f.delimiters = append(f.delimiters, delimiter{text: text, end: -1})
	}
	return f
}
