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

// OpenRecorder makes the capture file at path, which only its owner may read:
// packets may be private. It never writes over a file. If path is a folder,
// the file is a new one in it, named by time and session; if it is a named
// pipe, its reader, Wireshark for instance, sees the packets live.
//
// Give the Recorder to New, whose session closes it. Report is called at most
// once, when recording has stopped before the session's end; nil: nobody is
// told. Application goes into the file.
func OpenRecorder(path, session, application string, report func(error)) (*Recorder, error) {
	if path == "-" {
		return nil, errors.New("recording to standard output: that belongs to the MCP client; name a file with --record")
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
	recorder, err := newRecorder(file, path, packet.CaptureHeader(application), recordWaiting, report)
	if err != nil {
		if info, statErr := file.Stat(); statErr == nil && info.Mode().IsRegular() {
			os.Remove(path) // made here, and no recording
		}
		file.Close()
		return nil, fmt.Errorf("recording to %s: %w; name another file with --record", path, err)
	}
	return recorder, nil
}

// openRecording makes the file, or opens the pipe, for writing.
func openRecording(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil {
		switch mode := info.Mode(); {
		case mode&fs.ModeNamedPipe != 0:
			return openPipe(path, info)
		case mode&fs.ModeDevice != 0:
			return nil, fmt.Errorf("recording to %s: it is a device; name a file with --record, or a folder", path)
		}
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, fmt.Errorf("recording to %s: it exists already, and no recording is written over; move it away, or name another file with --record, or a folder: then each session gets a file of its own in it", path)
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

// openPipe opens a named pipe, without waiting for its reader.
func openPipe(path string, info fs.FileInfo) (*os.File, error) {
	if stdout, err := os.Stat("/dev/fd/1"); err == nil && os.SameFile(info, stdout) {
		return nil, fmt.Errorf("recording to %s: that is standard output, which belongs to the MCP client; name a file with --record", path)
	}
	pipe, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENXIO) {
		return nil, fmt.Errorf("recording to the pipe %s: nobody reads it; start its reader first, for instance: wireshark -k -i %s", path, path)
	}
	if err != nil {
		return nil, fmt.Errorf("recording to a pipe: %w", err)
	}
	return pipe, nil
}
