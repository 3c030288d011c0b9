package report

import (
	"bytes"
	"io"
)

// generator marks a page written by WritePage. page.html contains it.
const generator = `<meta name="generator" content="tun-mcp trial">`

// IsPage reports whether from has a page written by WritePage.
func IsPage(from io.Reader) bool {
	head, err := io.ReadAll(io.LimitReader(from, 1024))
	return err == nil && bytes.HasPrefix(head, []byte("<!doctype html>\n")) && bytes.Contains(head, []byte(generator))
}
