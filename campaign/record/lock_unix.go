//go:build unix

package record

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Lock makes this process the only one that runs the folder's campaign, until it
// calls release or ends. If another process has the lock, the error is ErrLocked. A
// user who may not write the lock file still learns that.
func (f Folder) Lock() (release func(), err error) {
	file, err := os.OpenFile(f.lockFile(), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		var unread error
		if file, unread = os.Open(f.lockFile()); unread != nil {
			return nil, fmt.Errorf("locking the campaign's folder: %w", err)
		}
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrLocked
		}
		return nil, fmt.Errorf("locking the campaign's folder: %w", err)
	}
	return func() { file.Close() }, nil
}
