package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// module is the path of tun-mcp's Go module.
const module = "github.com/tun-mcp/tun-mcp"

// findProgram returns the path of tun-mcp: given if it is not empty, else the one
// beside this program, one built from the checkout that contains the working
// folder, or the one on PATH.
func findProgram(ctx context.Context, given string, log io.Writer) (string, error) {
	name := "tun-mcp"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if given != "" {
		path, err := exec.LookPath(given)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return "", usageError{fmt.Errorf("--tun-mcp: %w", err)}
		}
		return path, nil
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	if root := checkout(); root != "" {
		return build(ctx, root, name, log)
	}
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", errors.New("tun-mcp is neither on PATH nor beside this program; install it with go install " + module + "@latest, or give its path with --tun-mcp")
	}
	return path, nil
}

// checkout returns the root of the checkout of this module that contains the
// working folder, or "" if there is none.
func checkout() string {
	folder, err := os.Getwd()
	for ; err == nil; folder = filepath.Dir(folder) {
		if data, err := os.ReadFile(filepath.Join(folder, "go.mod")); err == nil {
			if line, _, _ := bytes.Cut(data, []byte("\n")); strings.TrimSpace(string(line)) == "module "+module {
				return folder
			}
			return ""
		}
		if folder == filepath.Dir(folder) {
			return ""
		}
	}
	return ""
}

// build builds tun-mcp from the checkout at root, in the user's cache folder, and
// returns its path.
func build(ctx context.Context, root, name string, log io.Writer) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	target := filepath.Join(cache, "tun-mcp-campaign", name)
	fmt.Fprintln(log, "building tun-mcp from", root)
	cmd := exec.CommandContext(ctx, "go", "build", "-o", target, ".")
	cmd.Dir, cmd.Stderr = root, log
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("building tun-mcp: %w; build it yourself and give its path with --tun-mcp", err)
	}
	return target, nil
}

// listed asks tun-mcp for its scenarios or mistakes, called what in errors, as a shell
// does to complete `tun-mcp trial` with these arguments.
func listed(ctx context.Context, program, what string, arguments ...string) ([]string, error) {
	cmd := exec.CommandContext(ctx, program, append([]string{"__complete", "trial"}, arguments...)...)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("asking %s for its %s: %w", program, what, err)
	}
	var names []string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		if line != "" && !strings.ContainsAny(line, ":\t ") { // a directive, or a command with its help
			names = append(names, line)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("asking %s for its %s: it listed none; check that it is tun-mcp", program, what)
	}
	return names, nil
}
