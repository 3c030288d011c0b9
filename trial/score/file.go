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

// MaxReportBytes is the size of the largest report that Read accepts, in bytes. It has room
// for some 200,000 exchanges.
const MaxReportBytes = 64 << 20

// Save writes the report as JSON to path, with mode 0644. It writes a new file and renames
// it, so a reader sees the old file or the whole new one. If path is not a regular file
// (/dev/stdout, a pipe), Save writes into it.
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

// Replace writes data to path in the way described at Save.
func Replace(path string, data []byte) error {
	return ReplaceWith(path, func(w io.Writer) error { _, err := w.Write(data); return err })
}

// ReplaceWith is Replace for what write writes. If write fails, the old file stays.
func ReplaceWith(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return fmt.Errorf("%s is a folder", path)
		}
		if !info.Mode().IsRegular() {
			return writeInto(path, write)
		}
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target // keep a symbolic link, replace its target
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".tun-mcp-*")
	if err != nil {
		return err
	}
	err = write(f)
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

// writeInto writes into a file that is not regular. If it has been replaced by a regular
// file in the meantime, writeInto leaves that file alone and returns an error.
func writeInto(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	switch {
	case err == nil && info.Mode().IsRegular():
		err = fmt.Errorf("%s has just been replaced by a regular file", path)
	case err == nil:
		err = write(f)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// Load reads the report that Save wrote to path. It returns an error for anything else: a
// file that is not a report, a report of another version, an incomplete one, or one of more
// than MaxReportBytes.
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

// wantReport is the end of the errors about input that is not a report.
const wantReport = "accepted is a report written by tun-mcp trial --json FILE"

// Read is Load for any reader.
func Read(from io.Reader) (*Report, error) {
	data, err := io.ReadAll(io.LimitReader(from, MaxReportBytes+1))
	if err != nil {
		return nil, err
	}
	data = bytes.TrimSpace(data)
	switch {
	case len(data) > MaxReportBytes:
		return nil, fmt.Errorf("it has more than %d MiB, the limit for reports; run the trial with a smaller --count", MaxReportBytes>>20)
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
		return nil, fmt.Errorf("it has version %.20s, written by tun-mcp %+.40q, and this program reads version %d: use the program that wrote it, or run the trial again",
			h.Version, *h.Program, Version)
	case !h.ofReport():
		return nil, errors.New("it is JSON, but lacks the keys of a report; " + wantReport)
	}
	r := new(Report)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, badReport(err, len(data))
	}
	return r, nil
}

// badReport turns the error of the JSON decoder for size bytes into one for users.
func badReport(err error, size int) error {
	var syntax *json.SyntaxError
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax) && syntax.Offset >= int64(size):
		return fmt.Errorf("it ends after %d bytes, in the middle of the report: copy it again, or run the trial again", size)
	case errors.As(err, &syntax):
		return fmt.Errorf("at byte %d it is not JSON: %w; %s", syntax.Offset, err, wantReport)
	case errors.As(err, &mistyped):
		return fmt.Errorf("at byte %d, %+q is a %.20s, which is the wrong type; %s", mistyped.Offset, mistyped.Field, mistyped.Value, wantReport)
	}
	// The error quotes an invalid time whole, including control characters.
	harmless := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return '.'
	}, err.Error())
	return fmt.Errorf("%.200s; %s", harmless, wantReport)
}
