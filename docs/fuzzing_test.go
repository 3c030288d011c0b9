package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestFuzzingTable: docs/fuzzing.md has a row for every fuzz target of this
// module, and no other.
func TestFuzzingTable(t *testing.T) {
	guide, err := os.ReadFile("fuzzing.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, there []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\| `(Fuzz\\w+)` \\|").FindAllStringSubmatch(string(guide), -1) {
		listed = append(listed, row[1]+" "+row[2])
	}
	target := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(\w+ \*testing\.F\)`)
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
		for _, found := range target.FindAllStringSubmatch(string(text), -1) {
			there = append(there, folder+" "+found[1])
		}
		return err
	})
	slices.Sort(listed)
	slices.Sort(there)
	if err != nil || len(there) == 0 || !slices.Equal(listed, there) {
		t.Errorf("docs/fuzzing.md lists %q, the targets are %q, %v", listed, there, err)
	}
}
