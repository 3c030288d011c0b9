package control

import (
	"errors"
	"os"
	"syscall"
)

// wsaConnectionRefused is WSAECONNREFUSED, which package syscall does not name.
const wsaConnectionRefused = syscall.Errno(10061)

// lockFolder does nothing: Windows has no lock on a folder, and its temporary
// directory is a user's own.
func lockFolder(string) (unlock func(), err error) { return func() {}, nil }

func ownedByUs(os.FileInfo) bool { return true }

// writableByOthers cannot be told from the mode, which Windows makes up.
func writableByOthers(os.FileInfo) bool { return false }

func refused(err error) bool { return errors.Is(err, wsaConnectionRefused) }
