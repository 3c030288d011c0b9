package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tun-mcp/tun-mcp/clients"
)

// longestConfig bounds a configuration, in bytes. Claude Code keeps its state there too.
const longestConfig = 64 << 20

// An edit is a change to a configuration.
type edit struct {
	client        clients.Client
	path          string      // the path that the client uses
	target        string      // the file itself, if path is a link
	mode          fs.FileMode // of the file, or of a new one
	before, after []byte      // nil means no file
}

// openEdit reads a client's configuration: the first of its files that exists. It
// follows a link, whose target must be a regular file.
func openEdit(c clients.Client, m clients.Machine) (edit, error) {
	files := c.Files(m)
	e := edit{client: c, path: filepath.FromSlash(files[0]), mode: 0o600}
	for _, file := range files {
		if _, err := os.Lstat(file); err == nil {
			e.path = filepath.FromSlash(file)
			break
		}
	}
	e.target = e.path
	if _, err := os.Lstat(e.path); errors.Is(err, fs.ErrNotExist) {
		return e, nil
	}
	target, err := filepath.EvalSymlinks(e.path)
	if err != nil {
		return e, err
	}
	e.target = target
	f, err := os.Open(e.target)
	if err != nil {
		return e, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return e, err
	case !info.Mode().IsRegular():
		return e, errors.New("it is not a regular file")
	case info.Size() > longestConfig:
		return e, fmt.Errorf("it has %d bytes; accepted are at most %d", info.Size(), longestConfig)
	}
	e.mode = info.Mode().Perm()
	e.before, err = io.ReadAll(io.LimitReader(f, longestConfig+1))
	if e.before == nil {
		e.before = []byte{}
	}
	return e, err
}

// show lists the lines that differ.
func (e edit) show() string {
	if e.after == nil {
		return "  the file is removed, because nothing else is in it\n"
	}
	before, after := lines(e.before), lines(e.after)
	for len(before) > 0 && len(after) > 0 && before[0] == after[0] {
		before, after = before[1:], after[1:]
	}
	for len(before) > 0 && len(after) > 0 && before[len(before)-1] == after[len(after)-1] {
		before, after = before[:len(before)-1], after[:len(after)-1]
	}
	var out strings.Builder
	for _, line := range before {
		out.WriteString("  - " + harmless(line) + "\n")
	}
	for _, line := range after {
		out.WriteString("  + " + harmless(line) + "\n")
	}
	return out.String()
}

// lines splits a text into lines, without their ends.
func lines(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
}

// write replaces the file atomically, keeping its mode and owner. It fails if the
// file has changed since it was read.
func (e edit) write() error {
	folder := filepath.Dir(e.target)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if e.after == nil {
		if err := e.unchanged(); err != nil {
			return err
		}
		return os.Remove(e.target)
	}
	f, err := os.CreateTemp(folder, ".tun-mcp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it has been renamed
	_, err = f.Write(e.after)
	if err == nil {
		err = f.Sync() // before the rename, or a crash may leave an empty file
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = errors.Join(os.Chmod(f.Name(), e.mode), keepOwner(f.Name(), e.target))
	}
	if err == nil {
		err = e.unchanged()
	}
	if err == nil {
		err = os.Rename(f.Name(), e.target)
	}
	return err
}

// unchanged returns an error if the file has changed since it was read.
func (e edit) unchanged() error {
	now, err := os.ReadFile(e.target)
	if errors.Is(err, fs.ErrNotExist) && e.before == nil {
		return nil
	}
	if err != nil {
		return err
	}
	if e.before == nil || !bytes.Equal(now, e.before) {
		return errors.New("it has changed since install read it; run install again")
	}
	return nil
}
