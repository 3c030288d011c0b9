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

// An item of the page: the fault in bold, what happens, and its tests.
var listItem = regexp.MustCompile(`(?m)^\* \*\*((?s:.*?))\.\*\*((?:.*\n)(?:  .*\n)*)`)

// A test in an item, `tun.TestState`.
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
	for _, item := range listItem.FindAllStringSubmatch(string(page), -1) {
		fault, rest := strings.ToLower(strings.Join(strings.Fields(item[1]), " ")), item[2]
		if faults[fault] {
			t.Errorf("the fault %q is listed twice", fault)
		}
		faults[fault] = true
		names := named.FindAllStringSubmatch(rest, -1)
		if len(names) == 0 {
			t.Errorf("%q has no tests; want names like `tun.TestState` at its end", fault)
			continue
		}
		text, tests := rest[:strings.Index(rest, names[0][0])], rest[strings.Index(rest, names[0][0]):]
		if strings.TrimSpace(text) == "" {
			t.Errorf("the page does not say what happens on %q", fault)
		}
		if more := strings.TrimSpace(named.ReplaceAllString(tests, "")); more != "" {
			t.Errorf("%q ends with %q, want only names like `tun.TestState` there", fault, more)
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
	if len(faults) < 85 {
		t.Errorf("%d faults are listed, want at least 85", len(faults))
	}
	t.Logf("%d faults, %d tests", len(faults), len(listed))
}
