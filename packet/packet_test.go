package packet

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample returns the packet in testdata/NAME.hex, where # starts a comment.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(line + " ")
	}
	b, err := ParseHex(digits.String())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

// sampleNames returns the sorted names of all samples.
func sampleNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.hex")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".hex")
	}
	return files
}

// golden compares got with testdata/NAME.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Fatalf("%s line %d:\n got %q\nwant %q", path, i+1, gotLines[i], wantLines[i])
		}
	}
	t.Fatalf("%s: %d lines, want %d", path, len(gotLines), len(wantLines))
}

func TestSummaryGolden(t *testing.T) {
	var out strings.Builder
	for _, name := range sampleNames(t) {
		fmt.Fprintf(&out, "%s\n  %s\n", name, Summary(sample(t, name)))
	}
	golden(t, "summary.golden", out.String())
}

func TestCheckGolden(t *testing.T) {
	var out strings.Builder
	for _, name := range sampleNames(t) {
		if faults := Check(sample(t, name)); faults != nil {
			fmt.Fprintln(&out, name)
			for _, fault := range faults {
				fmt.Fprintf(&out, "  %d: %s\n", fault.At, fault)
			}
		}
	}
	golden(t, "check.golden", out.String())
}

func TestDumpGolden(t *testing.T) {
	for _, name := range []string{"ping-request", "ping-reply-bad-icmp-checksum", "tcp-syn-options", "ipv4-options",
		"udp-no-checksum", "icmp-port-unreachable", "ipv4-fragment-last", "ipv4-short-ihl", "ping-request-truncated",
		"ipv6-udp-fragment", "ipv6-mld-report", "ipv6-routing-header", "ipv6-home-address", "udp-surplus", "ipv4-loose-source-route", "ipv6-neighbor-solicitation", "gtp-crafted-2152", "version-5"} {
		t.Run(name, func(t *testing.T) { golden(t, name+".dump", Dump(sample(t, name), 0, true, true)) })
	}
}
