package tun

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// stateTimeout bounds a question to a holder that may have been stopped.
const stateTimeout = time.Second

// State says whether the peer's end of the link is "up" or "down", "gone" once
// the device or the link has ended, "unknown" where it cannot be asked. It asks
// the kernel: a user may set a link down under way.
func (l *Link) State() string {
	var fd int
	var err error
	switch d := l.inner().(type) {
	case *privateDevice:
		ctx, cancel := context.WithTimeout(d.living, stateTimeout)
		defer cancel()
		fd, err = d.sockets.ask(ctx, socketKinds["udp4"])
		if d.living.Err() != nil {
			return "gone"
		}
	case hostDevice:
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	default:
		return "up" // a stack in this process has no switch
	}
	if err != nil {
		return "unknown"
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq(l.Name)
	if err != nil {
		return "unknown"
	}
	switch err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, request); {
	case err == unix.ENODEV:
		return "gone"
	case err != nil:
		return "unknown"
	case request.Uint16()&unix.IFF_UP == 0:
		return "down"
	}
	return "up"
}
