package traffic

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
)

// TestJudgePage tests which pages count as complete.
func TestJudgePage(t *testing.T) {
	for _, test := range []struct {
		response string
		want     string // "" means that the page is right
	}{
		{"200 OK\r\nContent-Length: 4\r\n\r\npage", ""},
		{"200 OK\r\nContent-Length: 5\r\n\r\npage", "after 4 bytes: unexpected EOF"},
		{"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\n0\r\n\r\n", ""},
		{"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\n", "after 4 bytes: unexpected EOF"},
		{"200 OK\r\nConnection: close\r\n\r\npa", ""}, // no length to check
		{"200 OK\r\nContent-Length: 0\r\n\r\n", "the page is empty"},
		{"404 Not Found\r\nContent-Length: 4\r\n\r\npage", "status 404 Not Found, want 200"},
	} {
		response, err := http.ReadResponse(bufio.NewReader(strings.NewReader("HTTP/1.1 "+test.response)), nil)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := judgePage(response); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%q: %q, want %q", test.response, got, test.want)
		}
	}
}
