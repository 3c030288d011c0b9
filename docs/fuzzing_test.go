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

// docs/fuzzing.md lists every fuzz target of this module, by room, and no other.
func TestFuzzTargetsAreListed(t *testing.T) {
	guide, err := os.ReadFile("fuzzing.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, there []string
	for _, part := range regexp.MustCompile("(?m)^`([a-z/]+)`:\n\n((?:[* ] .*\n)+)").FindAllStringSubmatch(string(guide), -1) {
		for _, item := range regexp.MustCompile("(?m)^\\* `(Fuzz\\w+)`").FindAllStringSubmatch(part[2], -1) {
			listed = append(listed, part[1]+" "+item[1])
		}
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
