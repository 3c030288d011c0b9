package ping

import (
	"encoding/binary"
	"time"
)

// stampSize is what the time takes at the head of a payload that has room for
// it, as with iputils: seconds and microseconds, 8 bytes each.
const stampSize = 16

// payload makes what a request carries: the time, then each byte its own
// offset. The time is there so that no two requests are alike; the round trip
// is not measured with it.
func payload(size int, now time.Time) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i)
	}
	if size >= stampSize {
		binary.LittleEndian.PutUint64(p, uint64(now.Unix()))
		binary.LittleEndian.PutUint64(p[8:], uint64(now.Nanosecond()/1000))
	}
	return p
}

// wrongByte returns the offset of the first byte of got that differs from
// want, -1 if none does as far as got goes.
func wrongByte(got, want []byte) int {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return i
		}
	}
	return -1
}
