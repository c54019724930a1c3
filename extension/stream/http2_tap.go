package stream

import (
	"crypto/tls"
	"encoding/binary"
	"sync"
	"time"
)

const (
	http2HeaderBytes  = 9
	http2PrefaceBytes = 24

	http2Data         = 0x0
	http2Headers      = 0x1
	http2Continuation = 0x9

	flagEndStream  = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
)

// http2Tap is the connection that the HTTP/2 client reads and writes. It follows the frames in both directions, and
// keeps for every stream when its headers and each of its DATA frames arrived.
type http2Tap struct {
	*tls.Conn
	records *recordConn

	in, out http2Frames

	mu      sync.Mutex
	streams map[uint32]*tapStream
	newest  uint32 // stream that was opened last
}

// tapStream is what arrived for one stream.
type tapStream struct {
	written int64 // when the request was on its way
	headers arrival
	end     arrival // of the frame that ended the stream
	data    []tapData
	bytes   int64
}

// tapData is one DATA frame: where it ends in the body, and when its last byte came.
type tapData struct {
	end int64
	arrival
}

func newHTTP2Tap(conn *tls.Conn, records *recordConn) *http2Tap {
	t := &http2Tap{Conn: conn, records: records, streams: make(map[uint32]*tapStream)}
	t.out.skip = http2PrefaceBytes
	return t
}

// Read is called by the HTTP/2 client's reading goroutine alone.
func (t *http2Tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if n > 0 {
		a := t.records.last
		a.exact = a.exact && n < len(p)
		t.mu.Lock()
		t.in.follow(p[:n], func(f *http2Frames, rest int) { t.arrived(f, a, rest) })
		t.mu.Unlock()
	}
	return n, err
}

// Write is called under the HTTP/2 client's own lock.
func (t *http2Tap) Write(p []byte) (int, error) {
	var ended []*tapStream
	t.mu.Lock()
	t.out.follow(p, func(f *http2Frames, _ int) {
		if f.kind == http2Headers && f.stream > t.newest {
			t.newest = f.stream
			t.streams[f.stream] = &tapStream{}
		}
		if s := t.streams[f.stream]; s != nil && f.endsStream() {
			ended = append(ended, s)
		}
	})
	t.mu.Unlock()
	n, err := t.Conn.Write(p)
	if len(ended) > 0 && err == nil {
		now := time.Now().UnixNano()
		t.mu.Lock()
		for _, s := range ended {
			s.written = now
		}
		t.mu.Unlock()
	}
	return n, err
}

// arrived keeps a frame that is whole now. rest is the number of bytes behind it in the same read.
func (t *http2Tap) arrived(f *http2Frames, a arrival, rest int) {
	s := t.streams[f.stream]
	if s == nil {
		return
	}
	a.exact = a.exact && rest == 0
	switch f.kind {
	case http2Headers, http2Continuation:
		if f.flags&flagEndHeaders != 0 && s.bytes == 0 && s.end.at == 0 {
			s.headers = a
		}
	case http2Data:
		if f.data > 0 {
			s.bytes += int64(f.data)
			s.data = append(s.data, tapData{end: s.bytes, arrival: a})
		}
	}
	if f.endsStream() {
		s.end = a
	}
}

// http2Frames follows the frames in one direction.
type http2Frames struct {
	skip   int // bytes before the first frame
	header [http2HeaderBytes]byte
	inHead int
	left   int // bytes of the payload to come

	kind   byte
	flags  byte
	stream uint32
	data   int  // of a DATA frame: bytes of the body, once the frame is whole
	padded bool // the next byte is the length of the padding
}

// follow calls whole for each frame that ends in p, with the number of bytes of p behind it.
func (f *http2Frames) follow(p []byte, whole func(f *http2Frames, rest int)) {
	if n := min(f.skip, len(p)); n > 0 {
		f.skip -= n
		p = p[n:]
	}
	for len(p) > 0 {
		if f.inHead < http2HeaderBytes {
			n := copy(f.header[f.inHead:], p)
			f.inHead += n
			p = p[n:]
			if f.inHead < http2HeaderBytes {
				return
			}
			f.begin()
		}
		if f.padded && len(p) > 0 {
			f.data -= int(p[0]) + 1
			f.padded = false
			p = p[1:]
			f.left--
		}
		n := min(f.left, len(p))
		f.left -= n
		p = p[n:]
		if f.left == 0 && !f.padded {
			f.inHead = 0
			whole(f, len(p))
		}
	}
}

// endsStream says that its sender has no more to say. HEADERS may go on in CONTINUATION, but end with the same frame.
func (f *http2Frames) endsStream() bool {
	return f.flags&flagEndStream != 0 && (f.kind == http2Data || f.kind == http2Headers)
}

func (f *http2Frames) begin() {
	f.left = int(f.header[0])<<16 | int(f.header[1])<<8 | int(f.header[2])
	f.kind, f.flags = f.header[3], f.header[4]
	f.stream = binary.BigEndian.Uint32(f.header[5:]) & (1<<31 - 1)
	f.data = f.left
	f.padded = f.kind == http2Data && f.flags&flagPadded != 0 && f.left > 0
}
