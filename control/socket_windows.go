package control

import (
	"errors"
	"os"
	"syscall"
)

// wsaConnectionRefused is WSAECONNREFUSED, which package syscall does not name.
const wsaConnectionRefused = syscall.Errno(10061)

// lockFolder does nothing: Windows has no lock on a folder, and its temporary
// directory belongs to one user.
func lockFolder(string) (unlock func(), err error) { return func() {}, nil }

func ownedByUs(os.FileInfo) bool { return true }

// writableByOthers returns false: on Windows the mode does not show it.
func writableByOthers(os.FileInfo) bool { return false }

func refused(err error) bool { return errors.Is(err, wsaConnectionRefused) }
