package report

import (
	"bytes"
	"strings"
	"testing"
)

func TestIsPage(t *testing.T) {
	for name, r := range samples() {
		var page bytes.Buffer
		if err := WritePage(&page, r); err != nil || !IsPage(&page) {
			t.Errorf("IsPage does not recognize %s, %v", name, err)
		}
	}
	for _, text := range []string{"", "<!doctype html>\n<title>tun-mcp trial</title>", "# tun-mcp trial", "How pages are known: " + generator} {
		if IsPage(strings.NewReader(text)) {
			t.Errorf("IsPage accepts %q", text)
		}
	}
}
