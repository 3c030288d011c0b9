package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tun-mcp/tun-mcp/trial/report"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// checkTargets returns an error if a report or a recording cannot be written to the
// file that its flag names.
func (o trialFlags) checkTargets(recordings []string) error {
	if err := errors.Join(checkTarget("--json", o.json, score.IsReport), checkTarget("--html", o.html, report.IsPage),
		checkTarget("--junit", o.junit, report.IsJUnit)); err != nil {
		return err
	}
	for _, path := range recordings {
		if err := checkRecording(path); err != nil {
			return err
		}
	}
	taken := make(map[string]bool)
	for _, path := range append([]string{o.json, o.html, o.junit, o.jsonl}, recordings...) {
		if info, err := os.Stat(path); path == "" || err == nil && !info.Mode().IsRegular() {
			continue // not given, or not a regular file, such as /dev/null
		}
		at := place(path)
		if taken[at] {
			return fmt.Errorf("--json, --html, --junit, --jsonl, --record: %s is named twice: name a different file for each", path)
		}
		taken[at] = true
	}
	return nil
}

// place returns the absolute path without links, so that two spellings of one file
// are equal.
func place(path string) string {
	if whole, err := filepath.EvalSymlinks(path); err == nil {
		path = whole
	} else if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(folder, filepath.Base(path)) // the file does not exist yet
	}
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	return path
}

// checkTarget returns an error if a report cannot be written to path, the value of
// flag. An existing file may be replaced only if holds says that it is such a
// report: any other content would be lost.
func checkTarget(flag, path string, holds func(io.Reader) bool) error {
	info, err := os.Stat(path)
	switch {
	case path == "":
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return checkNew(flag, path)
	case err == nil && info.IsDir():
		return fmt.Errorf("%s %s: it is a folder: name a file in it", flag, path)
	case err == nil && !info.Mode().IsRegular():
		return nil // /dev/stdout, or a pipe
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("%s: the report cannot be written: %w; name another file", flag, err)
	}
	defer f.Close()
	if info.Size() > 0 && !holds(f) {
		return fmt.Errorf("%s %s: the file exists and is not the report of a trial: remove it or name another", flag, path)
	}
	return nil
}

// checkRecording returns an error if a recording cannot be made at path.
func checkRecording(path string) error {
	info, err := os.Lstat(path)
	if led, err := os.Stat(path); err == nil {
		info = led
	}
	switch {
	case err != nil:
		return checkNew("--record", path)
	case info.IsDir():
		return fmt.Errorf("--record %s: it is a folder: name a file in it", path)
	case info.Mode().IsRegular() || info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("--record %s: the file exists, and a recording never overwrites a file: remove it or name another", path)
	}
	return fmt.Errorf("--record %s: it is a device, a pipe or a socket: name a new file", path)
}

// checkNew returns an error if no file can be created at path, the value of flag.
func checkNew(flag, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("%s: the file cannot be created: %w; name one in a folder that you may write to", flag, err)
	}
	return errors.Join(f.Close(), os.Remove(path))
}

// save writes the report files that the flags name.
func (o trialFlags) save(found *score.Report) error {
	var saved, drawn error
	if o.json != "" {
		saved = found.Save(o.json)
	}
	if o.html != "" {
		var page bytes.Buffer
		if drawn = report.WritePage(&page, found); drawn == nil {
			drawn = score.Replace(o.html, page.Bytes())
		}
		if drawn != nil {
			drawn = fmt.Errorf("writing the page: %w; give another path to --html", drawn)
		}
	}
	var listed error
	if o.junit != "" {
		var cases bytes.Buffer
		if listed = report.WriteJUnit(&cases, found); listed == nil {
			listed = score.Replace(o.junit, cases.Bytes())
		}
		if listed != nil {
			listed = fmt.Errorf("writing JUnit XML: %w; give another path to --junit", listed)
		}
	}
	return errors.Join(saved, drawn, listed)
}
