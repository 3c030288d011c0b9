package session

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestRecordingInFolder(t *testing.T) {
	dir := t.TempDir()
	recorder, err := OpenRecorder(dir, "gamma", "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	recorder.close()
	folder, name := filepath.Split(recorder.recording().Path)
	if filepath.Clean(folder) != dir || !regexp.MustCompile(`^\d{8}-\d{6}-gamma\.pcapng$`).MatchString(name) {
		t.Errorf("recording to %s in %s", name, folder)
	}
	if got := recordedFrames(t, filepath.Join(folder, name)); len(got) != 0 {
		t.Errorf("%d frames", len(got))
	}
}

func TestRecordingRefusals(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old.pcapng")
	if err := os.WriteFile(old, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"an existing file", old, "it already exists, and a recording never overwrites a file; move it away, or give --record another file, or a folder"},
		{"a folder that does not exist", filepath.Join(dir, "none", "new.pcapng"), "there is no folder " + filepath.Join(dir, "none") + "; make it first"},
		{"a folder that is a file", filepath.Join(old, "new.pcapng"), "there is no folder " + old + "; make it first"},
		{"a device", os.DevNull, "recording to " + os.DevNull + ": it is a device; name a file"},
		{"standard output", "-", "the MCP client reads that; name a file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := OpenRecorder(test.path, "name", "test", nil); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if data, err := os.ReadFile(old); err != nil || string(data) != "precious" {
		t.Errorf("the old file holds %q, %v", data, err)
	}
}
