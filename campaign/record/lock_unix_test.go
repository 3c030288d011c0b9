//go:build unix

package record

import (
	"os"
	"testing"
)

// Someone who may not write the lock file learns whether a start is running. The
// folder in its place cannot be opened for writing, even by root.
func TestLockedForReaders(t *testing.T) {
	f := Folder(t.TempDir())
	if err := os.Mkdir(f.lockFile(), 0o700); err != nil {
		t.Fatal(err)
	}
	if f.Locked() {
		t.Error("the folder is locked before any start")
	}
	release, err := f.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if !f.Locked() {
		t.Error("the folder is not locked during a start")
	}
	release()
	if f.Locked() {
		t.Error("the folder is still locked after release")
	}
}
