package stream

import (
	"context"
	"crypto/tls"
	"net"
)

// The largest TLS record: its header, and 16 KiB of text with what a cipher may add.
const (
	recordHeaderBytes = 5
	maxRecordText     = 16 << 10
	maxRecordBytes    = recordHeaderBytes + maxRecordText + 2048
)

// recordConn stands between a socket and crypto/tls. It hands over one TLS record at a time and never a byte beyond, so
// that after a read of the tls.Conn, last is the arrival of the record that it decrypted.
type recordConn struct {
	*socket

	last arrival

	buffer   []byte
	from, to int     // what of buffer is not yet handed over
	read     arrival // of what is in buffer

	header  [recordHeaderBytes]byte
	inHead  int // bytes of header that have been handed over
	inBody  int // bytes of the record that have not
	fillOne sink
}

func newRecordConn(s *socket) *recordConn {
	r := &recordConn{socket: s, buffer: make([]byte, maxRecordBytes)}
	r.fillOne = func(p []byte, a arrival) bool {
		r.from, r.to, r.read = 0, len(p), a
		return false
	}
	return r
}

// Read gives the next piece of the current record.
func (r *recordConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if r.from == r.to {
		if err := r.feedInto(r.buffer, r.fillOne); err != nil {
			return 0, err
		}
	}
	available := r.buffer[r.from:r.to]
	if r.inBody == 0 {
		available = available[:min(len(available), recordHeaderBytes-r.inHead)]
		n := copy(p, available)
		copy(r.header[r.inHead:], available[:n])
		r.inHead += n
		r.from += n
		if r.inHead == recordHeaderBytes {
			r.inHead, r.inBody = 0, int(r.header[3])<<8|int(r.header[4])
		}
		return n, nil
	}
	n := copy(p, available[:min(len(available), r.inBody)])
	r.inBody -= n
	r.from += n
	// Other records, or a part of one, that share the read: then its stamp is theirs.
	r.last = r.read
	r.last.exact = r.read.exact && r.from == r.to
	return n, nil
}

// tlsStream reads decrypted bytes, one record at a time.
type tlsStream struct {
	conn    *tls.Conn
	records *recordConn
}

// feed is socket.feed for what is inside TLS. Where limit is a whole record, each read is the rest of a record.
func (t *tlsStream) feed(_ context.Context, limit int, to sink) error {
	storage := takeReadBuffer()
	defer readBuffers.Put(storage)
	buffer := storage[:min(limit, len(storage))]
	for {
		n, err := t.conn.Read(buffer)
		if n > 0 {
			a := t.records.last
			a.exact = a.exact && (n < len(buffer) || n == maxRecordText)
			if !to(buffer[:n], a) {
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
}

var _ net.Conn = (*recordConn)(nil)
