package stream

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A chunked body is the same wherever it is cut, once or into single bytes.
func TestChunkedBodyAtEveryCut(t *testing.T) {
	t.Parallel()
	wire := chunk("hello, ") + "A;name=\"a;b\"\r\n0123456789\r\n" + "001\nx\n" + "0\r\nA: b\r\n\r\n" + "next"
	const text, behind = "hello, 0123456789x", len("next")
	read := func(parts ...string) (string, int) {
		f := newFramer(nil, true)
		b := body{kind: bodyChunked, limit: -1}
		left := 0
		for _, part := range parts {
			if b.done {
				left += len(part)
				continue
			}
			used, _, err := b.read([]byte(part), &f)
			require.NoError(t, err)
			left += len(part) - used
		}
		require.True(t, b.done)
		require.Equal(t, int64(len(text)), b.received)
		return string(f.bytes), left
	}
	for cut := range len(wire) {
		got, left := read(wire[:cut], wire[cut:])
		require.Equal(t, text, got, "cut at %d", cut)
		require.Equal(t, behind, left, "cut at %d", cut)
	}
	got, left := read(strings.Split(wire, "")...)
	require.Equal(t, text, got)
	require.Equal(t, behind, left)
}

// The last byte of data has the read's stamp for its own where nothing but the end of its chunk follows.
func TestWhereTheDataEnds(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		before, read string
		isLast       bool
	}{
		"a whole chunk":                     {"", chunk("abc"), true},
		"a chunk without its end":           {"", "3\r\nabc", true},
		"a part of a chunk":                 {"", "3\r\nab", true},
		"the rest of a chunk and its end":   {"3\r\na", "bc\r\n", true},
		"with the next chunk's size":        {"", chunk("abc") + "4\r\n", false},
		"with the first digit of it":        {"", chunk("abc") + "4", false},
		"with the last chunk":               {"", chunk("abc") + "0\r\n\r\n", false},
		"two chunks":                        {"", chunk("abc") + chunk("d"), true},
		"only the end of a chunk":           {"3\r\nabc", "\r\n", false},
		"the end of one chunk, and another": {"3\r\nabc", "\r\n" + chunk("d"), true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFramer(nil, true)
			b := body{kind: bodyChunked, limit: -1}
			_, _, err := b.read([]byte(c.before), &f)
			require.NoError(t, err)
			_, isLast, err := b.read([]byte(c.read), &f)
			require.NoError(t, err)
			require.Equal(t, c.isLast, isLast)
		})
	}
}

func TestChunkSizes(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]int64{
		"0": 0, "a": 10, "FF": 255, "00001": 1, "1;x": 1, "1 ; x": 1, "fffffffffffffff": 1<<60 - 1,
		"": -1, ";": -1, "x": -1, "-1": -1, "+1": -1, "0x1": -1, " 1": -1, "ffffffffffffffff": -1,
	} {
		size, ok := parseChunkSize([]byte(line))
		require.Equal(t, want >= 0, ok, line)
		if ok {
			require.Equal(t, want, size, line)
		}
	}
}

func TestHeadEnd(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": -1, "a\r\n": -1, "a\r\n\r\n": 5, "a\r\n\r\nb": 5, "a\n\n": 3, "a\r\n\n": 4, "a\n\r\nb": 4, "a\r\n\rb\n\n": 7,
	} {
		require.Equal(t, want, headEnd([]byte(text), 0), "%q", text)
	}
}
