package stream

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// earliest is the plain definition: walk byte by byte; a frame ends when any delimiter is its end.
func earliest(text []byte, delimiters [][]byte) (ends []int) {
	start := 0
	for i := range text {
		for _, d := range delimiters {
			if bytes.HasSuffix(text[start:i+1], d) {
				ends = append(ends, i+1)
				start = i + 1
				break
			}
		}
	}
	if start < len(text) {
		ends = append(ends, len(text))
	}
	return ends
}

// Whatever the pieces in which a body comes, and whenever it is taken, its frames are the same.
func TestFramesDoNotDependOnReads(t *testing.T) {
	t.Parallel()
	const seed = 20261121
	random := rand.New(rand.NewPCG(seed, 1))
	sets := [][]string{
		{"\n\n"}, {"\n\n", "\r\n\r\n", "\r\r"}, {"ab", "b"}, {"a", "ab"}, {"aa"}, {"aab", "ab\n"}, {"\n"}, {"abab", "ba"},
	}
	for round := range 4000 {
		set := sets[round%len(sets)]
		var delimiters [][]byte
		for _, d := range set {
			delimiters = append(delimiters, []byte(d))
		}
		text := make([]byte, random.IntN(60))
		for i := range text {
			text[i] = "ab\n\r"[random.IntN(4)]
		}
		f := newFramer(delimiters, random.IntN(2) == 0)
		var got []int
		var gathered []byte
		collect := func() {
			if f.isEmpty() {
				return
			}
			taken := f.take(piece{})
			require.Equal(t, taken.frames[len(taken.frames)-1].end, len(taken.bytes))
			for _, frame := range taken.frames {
				got = append(got, len(gathered)+frame.end)
			}
			gathered = append(gathered, taken.bytes...)
		}
		for rest := text; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			f.append(rest[:n])
			f.cut(arrival{at: 1, exact: true})
			rest = rest[n:]
			if random.IntN(3) == 0 {
				collect()
			}
		}
		f.finish()
		collect()
		require.Equal(t, earliest(text, delimiters), got, "seed %d round %d: %q by %q", seed, round, text, set)
		require.Equal(t, string(text), string(gathered))
		require.Equal(t, len(got), f.total)
	}
}

// Three frames in one read: only the last one ends where the read does, so only it has the stamp of the read for its own.
func TestFramesThatShareARead(t *testing.T) {
	t.Parallel()
	f := newFramer([][]byte{[]byte("\n")}, false)
	f.append([]byte("a\nb\nc\n"))
	f.cut(arrival{at: 30, after: 10, wake: 35, exact: true})
	f.append([]byte("d\nrest"))
	f.cut(arrival{at: 40, after: 30, wake: 41, exact: true})
	f.append([]byte(" e\n"))
	f.cut(arrival{at: 50, after: 40, wake: 51, exact: false})
	require.Equal(t, []frame{
		{end: 2, at: 30, after: 10, wake: 35}, {end: 4, at: 30, after: 10, wake: 35}, {end: 6, at: 30, after: 30, wake: 35},
		{end: 8, at: 40, after: 30, wake: 41}, {end: 15, at: 50, after: 40, wake: 51},
	}, f.take(piece{}).frames)
	require.Equal(t, 4, f.merged)
	require.Equal(t, 5, f.total)
}

// Without delimiters a frame is a read, but for the beginning of a character, which waits for its rest.
func TestAFrameForEachRead(t *testing.T) {
	t.Parallel()
	f := newFramer(nil, false)
	f.append([]byte("a\xc3"))
	f.cut(arrival{at: 1, exact: true})
	f.append([]byte("\xa9b"))
	f.cut(arrival{at: 2, after: 1, exact: true})
	f.append([]byte("\xe2"))
	f.cut(arrival{at: 3, after: 2, exact: true})
	f.finish()
	require.Equal(t, []frame{{end: 1, at: 1, after: 0}, {end: 4, at: 2, after: 2}, {end: 5, at: 3, after: 3}}, f.frames)

	f = newFramer(nil, true)
	f.append([]byte("a\xc3"))
	f.cut(arrival{at: 1, exact: true})
	require.Equal(t, []frame{{end: 2, at: 1, after: 1}}, f.frames)
}

func BenchmarkFramer(b *testing.B) {
	event := []byte(`data: {"id":"chatcmpl-0123456789abcdef0123456789abcdef","object":"chat.completion.chunk","created":1763700000,` +
		`"model":"mock-model","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}` + "\n\n")
	for name, delimiters := range map[string][][]byte{
		"one": {[]byte("\n\n")}, "three": {[]byte("\n\n"), []byte("\r\n\r\n"), []byte("\r\r")},
	} {
		b.Run(name, func(b *testing.B) {
			f := newFramer(delimiters, false)
			spare := piece{}
			for i := range b.N {
				f.append(event)
				f.cut(arrival{at: int64(i), exact: true})
				if i%100 == 99 {
					spare = f.take(spare)
				}
			}
		})
	}
}
