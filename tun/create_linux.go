package tun

import (
	"errors"
	"os"
	"syscall"

	"github.com/songgao/water"
	"golang.org/x/sys/unix"
)

const tunPath = "/dev/net/tun"

// checkTUN returns an error if this process cannot open TUN devices. Every network and
// the doctor use it.
func checkTUN() error {
	f, err := os.OpenFile(tunPath, os.O_RDWR, 0)
	if err == nil {
		defer f.Close()
		// In a container it may be something else, like /dev/null.
		if _, err = unix.IoctlGetUint32(int(f.Fd()), unix.TUNGETFEATURES); err == nil {
			return nil
		}
		err = os.NewSyscallError("query "+tunPath, unix.ENODEV)
	}
	r := &refusal{What: "open " + tunPath, Cause: err.Error()}
	if errors.As(err, &r.Errno) {
		r.Cause = r.Errno.Error()
	}
	switch r.Errno {
	case unix.ENOENT, unix.ENODEV, unix.ENXIO:
		r.Todo = "load the module with `sudo modprobe tun`, or start the container with `--device " + tunPath + "`, or use --network memory"
	case unix.EACCES, unix.EPERM:
		r.Todo = "let users open it with `sudo chmod 0666 " + tunPath + "` (its usual mode), or start the container with `--device " + tunPath + "`, or use --network memory"
	default:
		r.Todo = lastResort(err)
	}
	return r
}

// createTUN creates the TUN device name in this process's network namespace, or
// attaches to an existing one, and returns its descriptor. With keep the device
// outlives the descriptor. If the kernel refuses, the error is its plain Errno.
func createTUN(name string, keep bool) (fd int, err error) {
	// water opens without O_CLOEXEC, and a child that inherits the descriptor would
	// keep the device alive. While we hold this lock, no child is forked.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()

	device, err := water.New(water.Config{
		DeviceType: water.TUN, // zero would mean TAP if any other field is set
		PlatformSpecificParams: water.PlatformSpecificParams{
			Name:    name,
			Persist: keep, // false would delete an existing device
		},
	})
	if err != nil {
		var errno syscall.Errno
		if errors.As(err, &errno) {
			return -1, errno
		}
		return -1, err
	}
	defer device.Close() // the copy stays open

	file, ok := device.ReadWriteCloser.(syscall.Conn)
	if !ok {
		return -1, errors.New("water's device is not a file")
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return -1, err
	}
	control := raw.Control(func(f uintptr) {
		fd, err = unix.FcntlInt(f, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err := errors.Join(control, err); err != nil {
		return -1, err
	}
	return fd, nil
}
