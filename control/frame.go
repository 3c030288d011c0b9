package control

import (
	"encoding/binary"
	"fmt"
	"io"
)

// After its two lines, POST /dial carries frames in both directions: a 4-byte
// length in network order, a type byte, and the data.
const (
	frameData  = 1 // UDP: a datagram; TCP: a piece of the stream
	frameEnd   = 2 // TCP: the stream has no more in this direction
	frameFault = 3 // to the command: a Fault. It ends a TCP connection
)

const (
	frameHead  = 5     // header bytes, not included in the length
	maxFrame   = 65535 // the largest length
	pieceBytes = 32 << 10
)

// putHead writes a frame header to the start of b.
func putHead(b []byte, kind byte, length int) {
	binary.BigEndian.PutUint32(b, uint32(length))
	b[4] = kind
}

// parseHead parses a frame header.
func parseHead(b []byte) (kind byte, length int, err error) {
	n := binary.BigEndian.Uint32(b)
	if n > maxFrame {
		return 0, 0, fmt.Errorf("a frame of %d bytes: accepted are up to %d", n, maxFrame)
	}
	return b[4], int(n), nil
}

// readFrame reads a frame into buffer, which has room for maxFrame bytes.
func readFrame(in io.Reader, buffer []byte) (kind byte, data []byte, err error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, nil, err
	}
	kind, n, err := parseHead(head[:])
	if err != nil {
		return 0, nil, err
	}
	_, err = io.ReadFull(in, buffer[:n])
	return kind, buffer[:n], err
}
