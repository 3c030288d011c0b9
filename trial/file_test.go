package trial

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func TestSaveLoad(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "report.json")
	for _, name := range []string{"thousand", "ten", "empty"} { // each replaces the one before
		r := samples()[name]
		if err := r.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, r) {
			t.Errorf("%s: what was loaded is not what was saved", name)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o644 {
		t.Errorf("mode %o, want 644", info.Mode().Perm())
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v left behind, %v", entries, err)
	}
}

// TestSaveTo saves to what is no file of its own.
func TestSaveTo(t *testing.T) {
	folder := t.TempDir()
	r := samples()["empty"]
	if err := r.Save(folder); err == nil || !strings.Contains(err.Error(), "is a folder; give another path") {
		t.Errorf("a folder: %v", err)
	}
	if err := r.Save(filepath.Join(folder, "none", "report.json")); err == nil || !strings.Contains(err.Error(), "give another path") {
		t.Errorf("a folder that is missing: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	target, link := filepath.Join(folder, "target"), filepath.Join(folder, "link")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := r.Save(link); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the symbolic link was replaced: %v, %v", info, err)
	}
	if _, err := Load(target); err != nil {
		t.Errorf("where the link leads: %v", err)
	}
	if err := r.Save(os.DevNull); err != nil {
		t.Errorf("%s: %v", os.DevNull, err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("%s was replaced: %v, %v", os.DevNull, info, err)
	}
}

func TestReadReportRefuses(t *testing.T) {
	whole, err := json.Marshal(samples()["ten"])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"nothing", " \n", "it is empty"},
		{"a page", "<!doctype html>", `it starts with '<', not with {`},
		{"a list", "[]", "a report is what tun-mcp trial --json FILE writes"},
		{"other JSON", `{"a": 1}`, "has no version"},
		{"an older one", `{"version": 0, "program": "0.0.1"}`, `it is of version 0, written by tun-mcp "0.0.1"; this program reads version 1`},
		{"a later one", `{"version": 2, "program": "9"}`, "use the one that wrote it, or run the trial again"},
		{"a version in words", `{"version": "one"}`, "json"},
		{"cut", string(whole[:len(whole)/2]), "it was cut: copy it again"},
		{"two", string(whole) + "{}", "it is not JSON"},
		{"bad inside", strings.Replace(string(whole), `"seconds":`, `"seconds";`, 1), "it is not JSON"},
		{"mistyped", strings.Replace(string(whole), `"network":"private"`, `"network":7`, 1), `"network" is a number, which does not fit`},
	} {
		_, err := readReport(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if err != nil {
			harmless(t, err.Error())
		}
	}
	huge := io.LimitReader(zeros{}, 1<<40)
	if _, err := readReport(io.MultiReader(strings.NewReader("{"), huge)); err == nil || !strings.Contains(err.Error(), "over 64 MiB") {
		t.Errorf("huge: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.json")); err == nil || !strings.Contains(err.Error(), "none.json") {
		t.Errorf("missing: %v", err)
	}
}

// zeros is an endless file.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '0'
	}
	return len(b), nil
}

// FuzzLoad shows whatever can be read in every way that there is.
func FuzzLoad(f *testing.F) {
	for _, r := range samples() {
		if len(r.Scenarios) > 0 && len(r.Scenarios[0].Exchanges) > 100 {
			continue
		}
		if data, err := json.Marshal(r); err == nil {
			f.Add(data)
		}
	}
	f.Add([]byte(`{"version":1,"scenarios":[{"exchanges":[{"at_ms":-1e308,"response_ms":1e308},{"at_ms":1e308,"response_ms":5e-324,"outcome":"right"}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := readReport(bytes.NewReader(data))
		if err != nil {
			harmless(t, err.Error())
			return
		}
		var text, page bytes.Buffer
		if err := WriteTable(&text, r, 80); err != nil {
			t.Fatal(err)
		}
		if err := WriteComparison(&text, []*Report{r, {}}, nil); err != nil {
			t.Fatal(err)
		}
		harmless(t, text.String())
		if err := WritePage(&page, r); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(page.String(), "<script"); n != 1 {
			t.Errorf("%d scripts", n)
		}
	})
}
