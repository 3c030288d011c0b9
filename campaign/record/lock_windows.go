package record

import (
	"errors"
	"fmt"
	"syscall"
)

// Lock makes this process the only one that runs the folder's campaign, until it
// calls release or ends. If another process has the lock, the error is ErrLocked.
func (f Folder) Lock() (release func(), err error) {
	const sharingViolation = syscall.Errno(32)
	path, err := syscall.UTF16PtrFromString(f.lockFile())
	if err != nil {
		return nil, fmt.Errorf("locking the campaign's folder: %w", err)
	}
	handle, err := syscall.CreateFile(path, syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, ErrLocked
	} else if err != nil {
		return nil, fmt.Errorf("locking the campaign's folder: %w", err)
	}
	return func() { _ = syscall.CloseHandle(handle) }, nil
}
