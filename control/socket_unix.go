//go:build unix

package control

import (
	"errors"
	"os"
	"syscall"
)

// lockFolder waits for an exclusive lock on dir.
func lockFolder(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

func ownedByUs(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}

func writableByOthers(info os.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }

func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
