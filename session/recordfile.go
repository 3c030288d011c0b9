package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

// OpenRecorder creates the capture file at path. Only its owner may read it,
// because packets may be private. It never overwrites a file. If path is a
// folder, it creates a new file in it, named after time and session. If path is
// a named pipe, its reader, such as Wireshark, sees the packets live.
//
// Pass the Recorder to New; the session closes it. Report, if not nil, is
// called at most once, if recording stops before the session's end. Application
// is the program name written to the file.
func OpenRecorder(path, session, application string, report func(error)) (*Recorder, error) {
	if path == "-" {
		return nil, errors.New("recording to standard output: the MCP client reads that; name a file with --record")
	}
	if isFolder(path) {
		path = filepath.Join(path, time.Now().Format("20060102-150405-")+session+".pcapng")
	}
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	file, err := openRecording(path)
	if err != nil {
		return nil, err
	}
	if report == nil {
		report = func(error) {}
	}
	_ = file.SetWriteDeadline(time.Now().Add(closePatience)) // a pipe may be full; a file has no deadline
	recorder, err := newRecorder(file, path, packet.CaptureHeader(application), recordWaiting, report)
	if err != nil {
		if info, statErr := file.Stat(); statErr == nil && info.Mode().IsRegular() {
			os.Remove(path) // created here, but not a recording
		}
		file.Close()
		return nil, fmt.Errorf("recording to %s: %w; name another file with --record", path, err)
	}
	_ = file.SetWriteDeadline(time.Time{})
	return recorder, nil
}

// openRecording creates the file, or opens the pipe, for writing.
func openRecording(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return openPipe(path)
	case err != nil && !isFolder(filepath.Dir(path)):
		return nil, fmt.Errorf("recording to %s: there is no folder %s; make it first, or name a file in another one with --record", path, filepath.Dir(path))
	case err != nil:
		return nil, fmt.Errorf("recording to a file: %w; name a file with --record in a folder that you may write to", err)
	}
	return file, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// openPipe opens a named pipe without waiting for its reader. The file at path
// may be replaced at any time, so it is opened once, without following a
// symbolic link, and the opened file must be a pipe.
func openPipe(path string) (*os.File, error) {
	follow := noFollow
	if dir := filepath.Dir(path); dir == "/dev/fd" || dir == "/proc/self/fd" { // a shell's >(wireshark …)
		follow = 0
	} else if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeDevice != 0 {
		return nil, isDevice(path) // devices are not even opened
	}
	pipe, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK|follow, 0)
	switch {
	case errors.Is(err, syscall.ENXIO):
		return nil, fmt.Errorf("recording to the pipe %s: it has no reader; start one first, for instance: wireshark -k -i %s", path, path)
	case errors.Is(err, syscall.ELOOP):
		return nil, fmt.Errorf("recording to %s: it is a symbolic link, which is not followed; name a new file with --record, or the pipe itself", path)
	case err != nil:
		return nil, exists(path)
	}
	info, err := pipe.Stat()
	if err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		if stdout, statErr := os.Stat("/dev/fd/1"); statErr != nil || !os.SameFile(info, stdout) {
			return pipe, nil
		}
		err = fmt.Errorf("recording to %s: that is standard output, which the MCP client reads; name a file with --record", path)
	} else if err == nil && info.Mode()&fs.ModeDevice != 0 {
		err = isDevice(path)
	} else if err == nil {
		err = exists(path)
	}
	pipe.Close()
	return nil, err
}

func exists(path string) error {
	return fmt.Errorf("recording to %s: it already exists, and a recording never overwrites a file; move it away, or give --record another file, or a folder, where each session gets its own file", path)
}

func isDevice(path string) error {
	return fmt.Errorf("recording to %s: it is a device; name a file with --record, or a folder", path)
}
