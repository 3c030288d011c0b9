package mcpserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// longestLine is the longest JSON-RPC message on stdio, in bytes: enough for 64
// packets of 65,535 bytes in hex.
const longestLine = 16 << 20

var errLineTooLong = fmt.Errorf("the message is longer than %d bytes: write fewer packets in a call", longestLine)

// readLine returns the next line. It reads a line that is too long to its end without
// keeping it, so that the server can answer with errLineTooLong and go on.
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
		case tooLong && (err == nil || errors.Is(err, io.EOF)): // the next call returns io.EOF
			return nil, errLineTooLong
		default:
			return line, err
		}
	}
}
