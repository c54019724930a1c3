package stream

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// isASCII says whether every byte is one character, in UTF-8 and in UTF-16 alike.
func isASCII(p []byte) bool {
	const high = 0x8080808080808080
	for len(p) >= 32 {
		a := binary.NativeEndian.Uint64(p) | binary.NativeEndian.Uint64(p[8:])
		b := binary.NativeEndian.Uint64(p[16:]) | binary.NativeEndian.Uint64(p[24:])
		if (a|b)&high != 0 {
			return false
		}
		p = p[32:]
	}
	for _, c := range p {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// decodeUTF8 turns bytes into UTF-16 as a browser does: each longest beginning of a character that can't go on becomes
// one U+FFFD. ends are offsets in p, ascending; each is moved to where its byte stands in the result.
func decodeUTF8(p []byte, frames []frame, ends []float64) []uint16 {
	units := make([]uint16, 0, len(p))
	position := 0
	for i := range frames {
		units = appendUTF16(units, p[position:frames[i].end])
		position = frames[i].end
		ends[i] = float64(len(units))
	}
	return appendUTF16(units, p[position:])
}

func appendUTF16(units []uint16, p []byte) []uint16 {
	for i := 0; i < len(p); {
		if p[i] < utf8.RuneSelf {
			units = append(units, uint16(p[i]))
			i++
			continue
		}
		r, size := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && size == 1 {
			size = beginning(p[i:])
		}
		units = utf16.AppendRune(units, r)
		i += size
	}
	return units
}

// beginning is the length of the longest part of a valid character at the start of p, which is not a whole one: 1 to 3.
// Ranges from table 3-7 of the Unicode standard.
func beginning(p []byte) int {
	length, low, high := lead(p[0])
	n := 1
	for n < length && n < len(p) && p[n] >= low && p[n] <= high {
		n++
		low, high = 0x80, 0xBF
	}
	return n
}

// lead gives the length of a character from its first byte, and the range of its second byte; 1 for a byte that can't
// begin a longer one.
func lead(c byte) (length int, low, high byte) {
	switch {
	case c >= 0xC2 && c <= 0xDF:
		return 2, 0x80, 0xBF
	case c == 0xE0:
		return 3, 0xA0, 0xBF
	case c == 0xED:
		return 3, 0x80, 0x9F
	case c >= 0xE1 && c <= 0xEF:
		return 3, 0x80, 0xBF
	case c == 0xF0:
		return 4, 0x90, 0xBF
	case c >= 0xF1 && c <= 0xF3:
		return 4, 0x80, 0xBF
	case c == 0xF4:
		return 4, 0x80, 0x8F
	}
	return 1, 0, 0
}

// unfinishedCharacter is the number of bytes at the end of p that may become a character with the bytes to come: 0 to 3.
func unfinishedCharacter(p []byte) int {
	for n := 1; n <= min(3, len(p)); n++ {
		c := p[len(p)-n]
		if c < 0x80 {
			return 0
		}
		if c >= 0xC0 {
			length, _, _ := lead(c)
			if n < length && beginning(p[len(p)-n:]) == n {
				return n
			}
			return 0
		}
	}
	return 0
}
