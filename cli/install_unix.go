//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"syscall"
)

// keepOwner gives a new file the owner of the one that it replaces, or of the folder
// if there was none: root may be at work in a user's home. Another user than root
// can give nothing away, and owns what it makes.
func keepOwner(file, replaced string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(replaced)
	if err != nil {
		info, err = os.Stat(filepath.Dir(replaced))
	}
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Chown(file, int(stat.Uid), int(stat.Gid))
}
