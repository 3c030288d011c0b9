package ping

import (
	"encoding/binary"
	"time"
)

// stampSize is the size of the timestamp at the start of a payload that has
// room for it, as in iputils: seconds and microseconds, 8 bytes each.
const stampSize = 16

// payload returns the payload of a request: the time, then bytes that each hold
// their own offset. The time only makes every request different; it is not used
// to measure the round trip.
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

// wrongByte returns the offset of the first byte of got that differs from want,
// or -1. Bytes of want after the end of got are not compared.
func wrongByte(got, want []byte) int {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return i
		}
	}
	return -1
}
