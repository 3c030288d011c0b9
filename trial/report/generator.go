package report

import (
	"bytes"
	"io"
)

// generator is what marks a page that WritePage made: it stands in page.html.
const generator = `<meta name="generator" content="tun-mcp trial">`

// IsPage tells whether what is read is such a page.
func IsPage(from io.Reader) bool {
	head, err := io.ReadAll(io.LimitReader(from, 1024))
	return err == nil && bytes.HasPrefix(head, []byte("<!doctype html>\n")) && bytes.Contains(head, []byte(generator))
}
