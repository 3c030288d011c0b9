package packet

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Patch returns a copy of b with some bytes replaced. The maps in pieces, which have
// no key in common, count as one. Their keys are offsets
// in plain decimal digits ("12"; no sign, space or leading zero). The values are hex
// as for ParseHex, copies, or both, separated by white space. The copy @16+4 stands
// for the 4 bytes at offset 16 of from, the packet that b was made from. Each piece
// must have at least one byte, lie inside b, and not overlap another. No other byte
// changes, and the length stays.
func Patch(b, from []byte, pieces ...map[string]string) ([]byte, error) {
	type piece struct {
		at    int
		bytes []byte
	}
	texts := sortedTexts(pieces)
	sorted := make([]piece, 0, len(texts))
	size := 0 // of all pieces, in bytes
	for _, text := range texts {
		at, err := patchOffset(text.key, len(b))
		if err != nil {
			return nil, err
		}
		p, err := patchBytes(text.value, from)
		switch {
		case err != nil:
			return nil, fmt.Errorf("patch at %d: %w", at, err)
		case len(p) == 0:
			return nil, fmt.Errorf("patch at %d has no bytes: give hex, or leave the key out", at)
		case len(p) > len(b)-at:
			return nil, fmt.Errorf("patch at %d of %d bytes does not lie inside the packet of %d bytes: append adds bytes", at, len(p), len(b))
		}
		sorted = append(sorted, piece{at, p})
		if size += len(p); size > len(b) {
			break // two of them overlap
		}
	}
	slices.SortFunc(sorted, func(p, q piece) int { return p.at - q.at })
	c := bytes.Clone(b)
	for i, p := range sorted {
		if i > 0 && sorted[i-1].at+len(sorted[i-1].bytes) > p.at {
			return nil, fmt.Errorf("patches at %d (%d bytes) and at %d overlap", sorted[i-1].at, len(sorted[i-1].bytes), p.at)
		}
		copy(c[p.at:], p.bytes)
	}
	return c, nil
}

// A CopyError describes an invalid copy in a value of Patch.
type CopyError struct{ why string }

func (e *CopyError) Error() string { return e.why }

// CheckCopies returns a *CopyError if a value of Patch has a copy that is malformed,
// has no bytes, or reaches beyond the packet of size bytes that it copies from.
func CheckCopies(value string, size int) error {
	for word := range strings.FieldsFuncSeq(value, isSpace) {
		if word[0] == '@' {
			if _, _, err := parseCopy(word, size); err != nil {
				return err
			}
		}
	}
	return nil
}

// patchBytes returns the bytes that the value of a piece stands for. It stops beyond
// MaxLen, since in a copy a few characters stand for a whole packet.
func patchBytes(value string, from []byte) ([]byte, error) {
	if !strings.Contains(value, "@") {
		return ParseHex(value)
	}
	var out []byte
	for word := range strings.FieldsFuncSeq(value, isSpace) {
		more, err := wordBytes(word, from)
		if err != nil {
			return nil, err
		}
		if len(out)+len(more) > MaxLen {
			return nil, fmt.Errorf("more than %d bytes: no packet is that long", MaxLen)
		}
		out = append(out, more...)
	}
	return out, nil
}

// wordBytes returns the bytes that a copy or hex without white space stands for.
func wordBytes(word string, from []byte) ([]byte, error) {
	if word[0] != '@' {
		return ParseHex(word)
	}
	at, n, err := parseCopy(word, len(from))
	if err != nil {
		return nil, err
	}
	return from[at : at+n], nil
}

// parseCopy parses "@16+4", which must lie inside size bytes.
func parseCopy(word string, size int) (at, n int, err error) {
	offset, length, ok := strings.Cut(word[1:], "+")
	at, err = strconv.Atoi(offset)
	if err == nil {
		n, err = strconv.Atoi(length)
	}
	if errors.Is(err, strconv.ErrRange) {
		at, n, err = size, 1, nil // beyond the end of any packet
	}
	plain := strings.Trim(offset+length, "0123456789") == "" // Atoi takes signs
	shown := word[:min(len(word), 20)]
	switch {
	case !ok || !plain || err != nil:
		return 0, 0, &CopyError{fmt.Sprintf("%+q is not a copy; accepted: @OFFSET+LENGTH in decimal digits, for instance @16+4", shown)}
	case n == 0:
		return 0, 0, &CopyError{fmt.Sprintf("%s copies no bytes: give a length of 1 or more", shown)}
	case at > size || n > size-at:
		return 0, 0, &CopyError{fmt.Sprintf("%s reaches beyond the %d bytes that it copies from", shown, size)}
	}
	return at, n, nil
}

// pieceText is a piece as Patch takes it.
type pieceText struct{ key, value string }

// sortedTexts returns the pieces by key, so that every call reports the same error.
func sortedTexts(pieces []map[string]string) []pieceText {
	var texts []pieceText
	for _, some := range pieces {
		texts = slices.Grow(texts, len(some))
		for key, value := range some {
			texts = append(texts, pieceText{key, value})
		}
	}
	slices.SortFunc(texts, func(p, q pieceText) int { return strings.Compare(p.key, q.key) })
	return texts
}

func patchOffset(key string, size int) (int, error) {
	plain := key != "" && strings.Trim(key, "0123456789") == "" && (key[0] != '0' || key == "0")
	if !plain {
		if len(key) > 20 {
			key = key[:20]
		}
		return 0, fmt.Errorf("patch key %+q is not a decimal offset such as \"12\"", key)
	}
	at, err := strconv.Atoi(key)
	if err != nil {
		return 0, fmt.Errorf("patch at an offset of %d digits does not lie inside the packet of %d bytes: offsets go up to %d", len(key), size, size-1)
	}
	if at >= size {
		return 0, fmt.Errorf("patch at %d does not lie inside the packet of %d bytes: offsets go up to %d; append adds bytes", at, size, size-1)
	}
	return at, nil
}
