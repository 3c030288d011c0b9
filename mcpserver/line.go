package mcpserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// longestLine bounds a JSON-RPC message, in bytes: 64 packets of 65,535 bytes
// in hex fit.
const longestLine = 16 << 20

var errLineTooLong = fmt.Errorf("the message is longer than %d bytes: write fewer packets in a call", longestLine)

// readLine returns the next line. One that is too long is read to its end, kept
// nowhere and answered, so that the conversation can go on.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		piece, err := in.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(piece) > longestLine; tooLong {
			line = nil
		} else {
			line = append(line, piece...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case tooLong && (err == nil || errors.Is(err, io.EOF)): // at the end, the next call says so
			return nil, errLineTooLong
		default:
			return line, err
		}
	}
}
