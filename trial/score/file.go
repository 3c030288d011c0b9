package score

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// MaxReportBytes bounds a report that is read: some 200,000 exchanges.
const MaxReportBytes = 64 << 20

// Save writes the report as JSON to path, readable by everyone (0644). A
// reader meets the old file or the whole new one, never a part: it is written
// beside and then renamed. What is no regular file (/dev/stdout, a pipe) is
// written to as it is.
func (r *Report) Save(path string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := Replace(path, append(data, '\n')); err != nil {
		return fmt.Errorf("writing the report: %w; give another path to --json", err)
	}
	return nil
}

// Replace puts data into path as Save says.
func Replace(path string, data []byte) error {
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return fmt.Errorf("%s is a folder", path)
		}
		if !info.Mode().IsRegular() {
			return os.WriteFile(path, data, 0o644)
		}
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target // keep a symbolic link, replace what it leads to
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".tun-mcp-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync() // before the rename, or a crash may leave an empty file
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// Load reads the report that Save wrote to path. It refuses, in words, what is
// no report, another version's, one that is not whole, and one of more than
// MaxReportBytes.
func Load(path string) (*Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading a report: %w", err)
	}
	defer f.Close()
	r, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return r, nil
}

// wantReport ends an error on what was read instead of a report.
const wantReport = "a report is what tun-mcp trial --json FILE writes"

// Read reads a report as Load does, from anywhere.
func Read(from io.Reader) (*Report, error) {
	data, err := io.ReadAll(io.LimitReader(from, MaxReportBytes+1))
	if err != nil {
		return nil, err
	}
	data = bytes.TrimSpace(data)
	switch {
	case len(data) > MaxReportBytes:
		return nil, fmt.Errorf("it is over %d MiB long, the most that is read; run the trial with a smaller --count", MaxReportBytes>>20)
	case len(data) == 0:
		return nil, errors.New("it is empty; " + wantReport)
	case data[0] != '{':
		return nil, fmt.Errorf("it starts with %+q, not with {; %s", data[0], wantReport)
	}
	var h head
	if err := json.Unmarshal(data, &h); err != nil {
		return nil, badReport(err, len(data))
	}
	switch {
	case h.Version == nil:
		return nil, errors.New("it is JSON, but has no version; " + wantReport)
	case h.Version.String() != fmt.Sprint(Version) && h.Program != nil:
		return nil, fmt.Errorf("it is of version %.20s, written by tun-mcp %+.40q; this program reads version %d: use the one that wrote it, or run the trial again",
			h.Version, *h.Program, Version)
	case !h.ofReport():
		return nil, errors.New("it is JSON, but has not the keys of a report; " + wantReport)
	}
	r := new(Report)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, badReport(err, len(data))
	}
	return r, nil
}

// badReport puts into words what the JSON decoder says of size bytes.
func badReport(err error, size int) error {
	var syntax *json.SyntaxError
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax) && syntax.Offset >= int64(size):
		return fmt.Errorf("it ends after %d bytes in the middle of the report; it was cut: copy it again, or run the trial again", size)
	case errors.As(err, &syntax):
		return fmt.Errorf("at byte %d it is not JSON: %w; %s", syntax.Offset, err, wantReport)
	case errors.As(err, &mistyped):
		return fmt.Errorf("at byte %d %+q is a %.20s, which does not fit; %s", mistyped.Offset, mistyped.Field, mistyped.Value, wantReport)
	}
	// A time is quoted with all that is in it, and what was no text with it.
	harmless := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return '.'
	}, err.Error())
	return fmt.Errorf("%.200s; %s", harmless, wantReport)
}
