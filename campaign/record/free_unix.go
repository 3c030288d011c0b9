//go:build unix

package record

import "syscall"

// MinFree is the free disk space, in bytes, that starting a trial needs.
const MinFree = 32 << 20

// Free returns the free space, in bytes, on the disk of a folder. ok is false if it
// is unknown.
func Free(folder string) (bytes uint64, ok bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(folder, &s) != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true
}
