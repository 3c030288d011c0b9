package main

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

// checkTargets says why what is found cannot be written where the flags say: to
// the reports' files and those of the recordings.
func (o trialFlags) checkTargets(recordings []string) error {
	if err := errors.Join(checkTarget("--json", o.json, score.IsReport), checkTarget("--html", o.html, report.IsPage)); err != nil {
		return err
	}
	for _, path := range recordings {
		if err := checkRecording(path); err != nil {
			return err
		}
	}
	taken := make(map[string]bool)
	for _, path := range append([]string{o.json, o.html}, recordings...) {
		if info, err := os.Stat(path); path == "" || err == nil && !info.Mode().IsRegular() {
			continue // nothing, or what takes many: /dev/null
		}
		at := place(path)
		if taken[at] {
			return fmt.Errorf("--json, --html, --record: %s would be written twice: name a file for each", path)
		}
		taken[at] = true
	}
	return nil
}

// place is where a path leads, however it is spelled.
func place(path string) string {
	if whole, err := filepath.EvalSymlinks(path); err == nil {
		path = whole
	} else if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(folder, filepath.Base(path)) // the file is not there yet
	}
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	return path
}

// checkTarget says why a report cannot be written to path, which flag names. A
// file that is there already is replaced if it is such a report, as holds says:
// another file's content would be lost.
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
		return fmt.Errorf("%s: the report could not be written: %w; name another file", flag, err)
	}
	defer f.Close()
	if info.Size() > 0 && !holds(f) {
		return fmt.Errorf("%s %s: the file exists and is no report of a trial: remove it or name another", flag, path)
	}
	return nil
}

// checkRecording says why no recording can be made at path.
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
		return fmt.Errorf("--record %s: it exists, and a recording is never written over: remove it or name another", path)
	}
	return fmt.Errorf("--record %s: it is a device, a pipe or a socket: name a file that is not there yet", path)
}

// checkNew says why no file can be made at path, which flag names.
func checkNew(flag, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("%s: the file could not be made: %w; name one in a folder that you may write to", flag, err)
	}
	return errors.Join(f.Close(), os.Remove(path))
}

// save writes the files that were asked for.
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
	return errors.Join(saved, drawn)
}
