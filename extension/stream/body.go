package stream

import (
	"bytes"
	"errors"
	"io"
)

var (
	errTooLarge = errors.New("the body has more than maxBytes")
	errChunked  = errors.New("malformed chunked encoding")
)

// bodyKind says how the end of an HTTP/1.1 body is known.
type bodyKind int

const (
	bodyCounted bodyKind = iota // Content-Length
	bodyChunked                 // Transfer-Encoding: chunked
	bodyToClose                 // the peer closes the connection
)

// chunkPart is what a chunked body expects next.
//
//	size --LF--> data --all of it--> end --LF--> size
//	size --LF, 0--> trailer --empty line--> done
type chunkPart int

const (
	chunkSize chunkPart = iota
	chunkData
	chunkEnd
	chunkTrailer
)

// maxChunkLine limits a line of chunked framing, and the trailer as a whole.
const maxChunkLine = 16 << 10

// body reads an HTTP/1.1 body, in whatever pieces it comes, and takes its framing away.
type body struct {
	kind      bodyKind
	remaining int64 // bytes to come: of the body if counted, of the chunk if chunked
	part      chunkPart
	line      []byte // the line so far, where it came in pieces
	trailer   int
	done      bool

	limit    int64 // of received; negative: none
	received int64
}

// read takes what belongs to the body from p and appends its data to f.
//
// used is how much of p it took. lastIsData says that the last byte of data is the last one of p but for the end of its
// chunk: the line break that a server sends with it.
func (b *body) read(p []byte, f *framer) (used int, lastIsData bool, err error) {
	if b.kind != bodyChunked {
		return b.readPlain(p, f)
	}
	behind := -1 // bytes of framing after the last data
	for used < len(p) && !b.done && err == nil {
		rest := p[used:]
		if b.part != chunkData {
			n, lineErr := b.readLine(rest)
			used += n
			if behind >= 0 {
				behind += n
			}
			err = lineErr
			continue
		}
		n := int(min(int64(len(rest)), b.remaining))
		err = b.accept(rest[:n], f)
		used += n
		behind = 0
		if b.remaining -= int64(n); b.remaining == 0 {
			b.part = chunkEnd
		}
	}
	lastIsData = used == len(p) && (behind == 0 || behind > 0 && behind <= len("\r\n") && !b.done && len(b.line) == 0)
	return used, lastIsData, err
}

func (b *body) readPlain(p []byte, f *framer) (used int, lastIsData bool, err error) {
	n := len(p)
	if b.kind == bodyCounted {
		n = int(min(int64(n), b.remaining))
		b.remaining -= int64(n)
		b.done = b.remaining == 0
	}
	return n, n > 0 && n == len(p), b.accept(p[:n], f)
}

// accept keeps data, as far as the limit allows.
func (b *body) accept(p []byte, f *framer) error {
	if b.limit >= 0 && b.received+int64(len(p)) > b.limit {
		p = p[:b.limit-b.received]
		b.received = b.limit
		f.append(p)
		return errTooLarge
	}
	b.received += int64(len(p))
	f.append(p)
	return nil
}

// readLine takes one line of framing, or as much of it as there is.
func (b *body) readLine(p []byte) (int, error) {
	end := bytes.IndexByte(p, '\n')
	if end < 0 {
		if len(b.line)+len(p) > maxChunkLine {
			return len(p), errChunked
		}
		b.line = append(b.line, p...)
		return len(p), nil
	}
	line := p[:end]
	if len(b.line) > 0 {
		b.line = append(b.line, line...)
		line = b.line
	}
	err := b.acceptLine(bytes.TrimSuffix(line, []byte("\r")))
	b.line = b.line[:0]
	return end + 1, err
}

func (b *body) acceptLine(line []byte) error {
	switch b.part {
	case chunkEnd:
		b.part = chunkSize
		if len(line) > 0 {
			return errChunked
		}
	case chunkSize:
		size, ok := parseChunkSize(line)
		if !ok {
			return errChunked
		}
		b.part, b.remaining = chunkData, size
		if size == 0 {
			b.part = chunkTrailer
		}
	default:
		b.done = len(line) == 0
		if b.trailer += len(line); b.trailer > maxChunkLine {
			return errChunked
		}
	}
	return nil
}

// parseChunkSize reads a chunk's first line: a hexadecimal number, and perhaps an extension, which says nothing to us.
func parseChunkSize(line []byte) (int64, bool) {
	if i := bytes.IndexByte(line, ';'); i >= 0 {
		line = line[:i]
	}
	line = bytes.TrimRight(line, " \t")
	if len(line) == 0 || len(line) > 15 {
		return 0, false
	}
	var size int64
	for _, c := range line {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		size = size<<4 | int64(c)
	}
	return size, true
}

// atEnd says what the end of the connection means for the body.
func (b *body) atEnd() error {
	if b.kind == bodyToClose {
		b.done = true
		return nil
	}
	return io.ErrUnexpectedEOF
}
