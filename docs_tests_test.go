package main

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/docs"
)

var nameOfTest = regexp.MustCompile(`\bTest[A-Z]\w+`)

// A guide that names a test as its proof must not outlive it.
func TestDocsNameTestsThatExist(t *testing.T) {
	var tests strings.Builder
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		tests.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	guides, err := docs.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, guide := range guides {
		data, err := docs.Files.ReadFile(guide.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range nameOfTest.FindAllString(string(data), -1) {
			named++
			// TestCrowd stands for all that begin with it.
			if !strings.Contains(tests.String(), "\nfunc "+name) {
				t.Errorf("docs/%s names %s, which is no test", guide.Name(), name)
			}
		}
	}
	if named == 0 {
		t.Error("no guide names a test")
	}
}
