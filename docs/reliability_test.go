package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testsOfModule returns the names of all tests of this module, as folder.Test:
// those of every system, whatever this one is.
func testsOfModule(t *testing.T) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") && f.Name.Name != "TestMain" {
				tests[folder+"."+f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

// A test in the table, `tun.TestState`.
var named = regexp.MustCompile("`([a-z0-9/]+\\.Test[A-Za-z0-9]+)`")

// Every fault of docs/reliability.md has tests that exist, and nothing is
// listed twice.
func TestReliability(t *testing.T) {
	page, err := os.ReadFile("reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	exists := testsOfModule(t)
	if !exists["docs.TestReliability"] {
		t.Fatalf("this test is not among the %d that were found", len(exists))
	}
	faults, listed := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| fault |") || strings.HasPrefix(line, "|---") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 {
			t.Errorf("a row has %d cells, want a fault, what happens, and tests: %s", len(cells), line)
			continue
		}
		fault := strings.ToLower(strings.TrimSpace(cells[0]))
		if faults[fault] {
			t.Errorf("the fault %q is listed twice", fault)
		}
		faults[fault] = true
		if strings.TrimSpace(cells[1]) == "" {
			t.Errorf("of %q nothing is said", fault)
		}
		names := named.FindAllStringSubmatch(cells[2], -1)
		if rest := strings.TrimSpace(named.ReplaceAllString(cells[2], "")); len(names) == 0 || rest != "" {
			t.Errorf("%q: its tests are %q, want names like `tun.TestState` alone", fault, cells[2])
		}
		for _, match := range names {
			switch name := match[1]; {
			case !exists[name]:
				t.Errorf("%q: there is no test %s", fault, name)
			case listed[name]:
				t.Errorf("%q: the test %s is listed twice", fault, name)
			default:
				listed[name] = true
			}
		}
	}
	if len(faults) < 25 {
		t.Errorf("%d faults are listed, want at least 25", len(faults))
	}
	t.Logf("%d faults, %d tests", len(faults), len(listed))
}
