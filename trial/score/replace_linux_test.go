package score

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// If a regular file replaces a special one between Replace's look and its write, the
// regular file keeps its content.
func TestReplaceKeepsRegularFile(t *testing.T) {
	precious := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(precious, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeInto(precious, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err == nil || !strings.Contains(err.Error(), "has just been replaced by a regular file") {
		t.Errorf("got %v", err)
	}
	if data, err := os.ReadFile(precious); err != nil || string(data) != "precious" {
		t.Errorf("the file has %q, %v", data, err)
	}
}
