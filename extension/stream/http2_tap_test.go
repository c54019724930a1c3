package stream

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// The tap sees the same frames wherever the stream of bytes is cut.
func TestHTTP2FramesAtEveryCut(t *testing.T) {
	t.Parallel()
	var wire bytes.Buffer
	w := http2.NewFramer(&wire, nil)
	require.NoError(t, w.WriteSettings())
	require.NoError(t, w.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("x"), EndHeaders: true}))
	require.NoError(t, w.WriteData(1, false, []byte("hello")))
	require.NoError(t, w.WriteDataPadded(3, false, []byte("abc"), make([]byte, 7)))
	require.NoError(t, w.WriteDataPadded(3, false, nil, make([]byte, 2)))
	require.NoError(t, w.WritePing(false, [8]byte{}))
	require.NoError(t, w.WriteData(1, true, nil))

	type seen struct {
		kind   byte
		stream uint32
		data   int
	}
	want := []seen{{4, 0, 0}, {1, 1, 1}, {0, 1, 5}, {0, 3, 3}, {0, 3, 0}, {6, 0, 8}, {0, 1, 0}}
	text := wire.Bytes()
	for cut := range len(text) + 1 {
		var f http2Frames
		var got []seen
		for _, part := range [][]byte{text[:cut], text[cut:]} {
			f.follow(part, func(f *http2Frames, _ int) { got = append(got, seen{f.kind, f.stream, f.data}) })
		}
		require.Equal(t, want, got, "cut at %d", cut)
	}
}
