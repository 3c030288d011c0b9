package docs_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

var nameOfTest = regexp.MustCompile(`\bTest[A-Z]\w+`)

// A page that names a test as its proof must not outlive it.
func TestDocsNameTestsThatExist(t *testing.T) {
	module := os.DirFS("..")
	var tests strings.Builder
	err := fs.WalkDir(module, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := fs.ReadFile(module, path)
		tests.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := fs.Glob(module, "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "README.md", "SECURITY.md") {
		data, err := fs.ReadFile(module, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range nameOfTest.FindAllString(string(data), -1) {
			// TestCrowd stands for all that begin with it.
			if !strings.Contains(tests.String(), "\nfunc "+name) {
				t.Errorf("%s names %s, which is no test", page, name)
			}
		}
	}
}
