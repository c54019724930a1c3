package stream

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

func decode(p []byte) string { return string(utf16.Decode(decodeUTF8(p, nil, nil))) }

// Tables 3-8 to 3-11 of the Unicode standard: U+FFFD for each maximal subpart of what is not valid.
func TestInvalidUTF8(t *testing.T) {
	t.Parallel()
	const r = "\ufffd"
	cases := []struct{ bytes, text string }{
		{"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", r + r + r + r + r + r + r + r + "A"},
		{"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", r + r + r + r + r + r + r + r + "A"},
		{"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", r + r + r + r + r + "A" + r + r + "B"},
		{"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", r + r + r + r + "A"},
		{"\xEF\xBB\xBFa", "\ufeffa"},
		{"é€😀", "é€😀"},
		{"\xF0\x9F\x98", r},
		{"a\xC3", "a" + r},
		{"\xC3a", r + "a"},
	}
	for _, c := range cases {
		require.Equal(t, c.text, decode([]byte(c.bytes)), "% x", c.bytes)
	}
}

// The engine's own TextDecoder and ours read any bytes alike.
func TestTextIsThatOfTextDecoder(t *testing.T) {
	t.Parallel()
	v := newVirtualUser(t)
	const seed = 7
	random := rand.New(rand.NewPCG(seed, 2))
	alphabet := []string{"a", "é", "€", "😀", "\x80", "\xC3", "\xE2\x82", "\xF0\x9F\x98", "\xED\xA0\x80", "\xFF", "\xF4\x90", "\xE0\x9F"}
	for range 500 {
		text := ""
		for range random.IntN(8) {
			text += alphabet[random.IntN(len(alphabet))]
		}
		array := fmt.Sprintf("%d", []byte(text))
		theirs := value[string](v, fmt.Sprintf(
			"return new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array([%s]))", commas(array)))
		require.Equal(t, theirs, decode([]byte(text)), "seed %d: % x", seed, text)
	}
}

// commas turns Go's "[1 2]" into JavaScript's "1,2".
func commas(list string) string {
	out := []byte(list[1 : len(list)-1])
	for i, c := range out {
		if c == ' ' {
			out[i] = ','
		}
	}
	return string(out)
}

// Every offset stands where its byte stands, in units of UTF-16.
func TestOffsetsOfText(t *testing.T) {
	t.Parallel()
	text := "aé€😀z"
	// Bytes: a 1, é 2, € 3, 😀 4, z 1. Units: 1, 1, 1, 2, 1.
	frames := []frame{{end: 1}, {end: 3}, {end: 6}, {end: 10}, {end: 11}}
	ends := make([]float64, len(frames))
	units := decodeUTF8([]byte(text), frames, ends)
	require.Equal(t, utf16.Encode([]rune(text)), units)
	require.Equal(t, []float64{1, 2, 3, 5, 6}, ends)
}

func TestUnfinishedCharacter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "a": 0, "é": 0, "a\xC3": 1, "\xE2": 1, "\xE2\x82": 2, "€": 0, "\xF0\x9F": 2, "\xF0\x9F\x98": 3, "😀": 0,
		"\x80": 0, "\xFF": 0, "\xE0\x80": 0, "\xC3a": 0, "\xF4\x90": 0, "a\x80\x80": 0, "\xC0": 0,
	} {
		require.Equal(t, want, unfinishedCharacter([]byte(text)), "% x", text)
	}
}

// A valid text that is cut anywhere never shows U+FFFD.
func TestACharacterCutInTwo(t *testing.T) {
	t.Parallel()
	text := []byte("aé€😀\u2028ß한")
	for cut := range len(text) {
		f := newFramer(nil, false)
		var got []uint16
		for _, part := range [][]byte{text[:cut], text[cut:]} {
			f.append(part)
			f.cut(arrival{at: 1, exact: true})
			if !f.isEmpty() {
				taken := f.take(piece{})
				got = append(got, decodeUTF8(taken.bytes, taken.frames, make([]float64, len(taken.frames)))...)
			}
		}
		f.finish()
		require.Equal(t, string(text), string(utf16.Decode(got)), "cut at %d", cut)
		require.True(t, f.isEmpty())
	}
}

func TestIsASCII(t *testing.T) {
	t.Parallel()
	for length := range 100 {
		text := make([]byte, length)
		require.True(t, isASCII(text))
		for at := range length {
			text[at] = 0x80
			require.False(t, isASCII(text), "%d of %d", at, length)
			text[at] = 0x7f
		}
	}
}
