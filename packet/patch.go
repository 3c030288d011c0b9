package packet

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Patch returns a copy of b with bytes replaced. The keys of pieces are offsets
// in plain decimal digits ("12"; no sign, no space, no leading zero), the
// values are hex as ParseHex takes it. Every piece must have a byte or more,
// lie inside b, and overlap no other. No other byte changes, and no length.
func Patch(b []byte, pieces map[string]string) ([]byte, error) {
	type piece struct {
		at    int
		bytes []byte
	}
	sorted := make([]piece, 0, len(pieces))
	for _, key := range sortedKeys(pieces) {
		at, err := patchOffset(key, len(b))
		if err != nil {
			return nil, err
		}
		p, err := ParseHex(pieces[key])
		switch {
		case err != nil:
			return nil, fmt.Errorf("patch at %d: %w", at, err)
		case len(p) == 0:
			return nil, fmt.Errorf("patch at %d has no bytes: give hex, or leave the key out", at)
		case len(p) > len(b)-at:
			return nil, fmt.Errorf("patch at %d of %d bytes does not lie inside the packet of %d bytes", at, len(p), len(b))
		}
		sorted = append(sorted, piece{at, p})
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

// sortedKeys makes the first error the same one on every call.
func sortedKeys(pieces map[string]string) []string {
	keys := make([]string, 0, len(pieces))
	for key := range pieces {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func patchOffset(key string, size int) (int, error) {
	plain := key != "" && strings.Trim(key, "0123456789") == "" && (key[0] != '0' || key == "0")
	if !plain {
		if len(key) > 20 {
			key = key[:20]
		}
		return 0, fmt.Errorf("patch key %+q is no decimal offset, for instance \"12\"", key)
	}
	at, err := strconv.Atoi(key)
	if err != nil {
		return 0, fmt.Errorf("patch at an offset of %d digits does not lie inside the packet of %d bytes", len(key), size)
	}
	if at >= size {
		return 0, fmt.Errorf("patch at %d does not lie inside the packet of %d bytes", at, size)
	}
	return at, nil
}
