package control

import (
	"os"
	"path/filepath"
	"testing"
)

// A server that was started without XDG_RUNTIME_DIR is found from a terminal
// that has it.
func TestFolderWithoutTheVariable(t *testing.T) {
	runtime := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	if got, want := folderWithout(runtime), folder(); got != want {
		t.Errorf("without the variable the folder is %s, with it %s", got, want)
	}
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	t.Setenv("TMP", temporary)
	file := filepath.Join(runtime, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, not := range []string{filepath.Join(runtime, "missing"), file} {
		if got := folderWithout(not); filepath.Dir(got) != temporary {
			t.Errorf("where %s is no folder, the folder is %s, want one in %s", not, got, temporary)
		}
	}
}
