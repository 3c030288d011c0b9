package score

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/tun-mcp/tun-mcp/session"
)

// sampleOf returns a report of n exchanges with all fields set.
func sampleOf(n int) *Report {
	r := &Report{
		Version: Version, Program: "0.1.0", Started: time.Date(2026, 11, 22, 22, 10, 0, 0, time.UTC), Seconds: 12.5, Cut: "interrupted", Session: "tun", Unrecorded: []string{"the recording stopped"},
		System: "linux/amd64, 2 processors", Agent: Agent{Kind: "claude", Name: "claude (m)", Model: "m"}, Network: "private", Assist: "fix",
		Settings: Settings{Count: n, Interval: 20, Deadline: 5000, Seed: 1 << 63}, Usage: &Usage{Turns: 3, InputTokens: 4, OutputTokens: 5, CostUSD: 0.25},
	}
	s := Result{Scenario: "ping", About: "echo requests", RFC: "RFC 792, echo", Expect: "each is answered", Skipped: true, Reason: "no \u001b", Note: "fast", Seconds: 3}
	for i := range n {
		s.Exchanges = append(s.Exchanges, Exchange{N: i + 1, Name: "seq", At: float64(i) / 3, Outcome: Wrong, Faults: []string{FaultPayload}, Detail: "byte 3",
			Number: 2*i + 1, Answer: 2*i + 2, RoundTrip: 4.5, Response: 4, Queue: 1, Tool: 1, Agent: 2, Device: 0.5})
		s.Crossings = append(s.Crossings, Crossing{Number: 2*i + 2, At: 0.25, Direction: "write", Bytes: 84, Summary: "IPv4", ReplyTo: 2*i + 1})
	}
	s.Sum([]session.Event{{Event: session.EventPacket, Direction: session.Write, Assist: "fix"}})
	r.Scenarios, r.Total = []Result{s}, s.Tally
	return r
}

func TestSaveLoad(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "report.json")
	for _, r := range []*Report{sampleOf(1000), sampleOf(10), {Version: Version}} { // each replaces the one before
		if err := r.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, r) {
			t.Errorf("%d exchanges: the loaded report differs from the saved one", r.Total.Sent)
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

// TestSaveTo saves to a folder, a symbolic link and a device.
func TestSaveTo(t *testing.T) {
	folder := t.TempDir()
	r := sampleOf(1)
	if err := r.Save(folder); err == nil || !strings.Contains(err.Error(), "is a folder; give another path") {
		t.Errorf("a folder: %v", err)
	}
	if err := r.Save(filepath.Join(folder, "none", "report.json")); err == nil || !strings.Contains(err.Error(), "give another path") {
		t.Errorf("a missing folder: %v", err)
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
		t.Errorf("the link's target: %v", err)
	}
	if err := r.Save(os.DevNull); err != nil {
		t.Errorf("%s: %v", os.DevNull, err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("%s was replaced: %v, %v", os.DevNull, info, err)
	}
}

func TestReadReportRefuses(t *testing.T) {
	data, err := json.Marshal(sampleOf(10))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"nothing", " \n", "it is empty"},
		{"a page", "<!doctype html>", `it starts with '<', not with {`},
		{"a list", "[]", "accepted is a report written by tun-mcp trial --json FILE"},
		{"other JSON", `{"a": 1}`, "has no version"},
		{"JSON with a version", `{"version": 1}`, "lacks the keys of a report"},
		{"JSON of another program", `{"version": 2, "started": 1, "settings": {}}`, "lacks the keys of a report"},
		{"an older version", `{"version": 0, "program": "0.0.1"}`, `it has version 0, written by tun-mcp "0.0.1", and this program reads version 1`},
		{"a later version", `{"version": 2, "program": "9"}`, "use the program that wrote it, or run the trial again"},
		{"a version in words", `{"version": "one"}`, "json"},
		{"truncated", string(data[:len(data)/2]), "in the middle of the report: copy it again"},
		{"two reports", string(data) + "{}", "it is not JSON"},
		{"a syntax error", strings.Replace(string(data), `"seconds":`, `"seconds";`, 1), "it is not JSON"},
		{"a program with escape sequences", "{\"version\": 2, \"program\": \"\\u001b[2J\"}", "use the program that wrote it"},
		{"a wrong type", strings.Replace(string(data), `"network":"private"`, `"network":7`, 1), `"network" is a number, which is the wrong type`},
	} {
		_, err := Read(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if err != nil && strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Errorf("%s: %q is not safe on a terminal", c.name, err)
		}
	}
	huge := io.LimitReader(zeros{}, 1<<40)
	if _, err := Read(io.MultiReader(strings.NewReader("{"), huge)); err == nil || !strings.Contains(err.Error(), "more than 64 MiB") {
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
