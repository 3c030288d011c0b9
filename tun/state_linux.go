package tun

import (
	"os"

	"golang.org/x/sys/unix"
)

// A view queries a device through a socket in its network namespace. It needs no
// privilege, and it works even if the holder does not react.
type view struct{ socket *os.File }

// newView takes ownership of fd, a socket of any kind.
func newView(fd int) view { return view{os.NewFile(uintptr(fd), "view")} }

// ask asks the kernel for one property of the device called name. what is an ioctl
// request.
func (v view) ask(what uint, name string) (*unix.Ifreq, error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	raw, err := v.socket.SyscallConn()
	if err != nil {
		return nil, err
	}
	if closed := raw.Control(func(fd uintptr) { err = unix.IoctlIfreq(int(fd), what, request) }); closed != nil {
		return nil, closed
	}
	return request, err
}

// look asks the kernel for one property of the device. It returns nil for a stack in
// this process, which nobody else can change.
func (l *Link) look(what uint) (*unix.Ifreq, error) {
	switch d := l.inner().(type) {
	case *privateDevice:
		return d.view.ask(what, l.Name)
	case hostDevice:
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		v := newView(fd)
		defer v.socket.Close()
		return v.ask(what, l.Name)
	}
	return nil, nil
}

// State returns the state of the peer's end of the link: "up", "down", "gone" if the
// device or the link has ended, or "unknown" if the kernel does not answer. It asks the
// kernel every time, since a user may set the link down at any time.
func (l *Link) State() string {
	d, private := l.inner().(*privateDevice)
	answer, err := l.look(unix.SIOCGIFFLAGS)
	switch {
	case private && d.living.Err() != nil, err == unix.ENODEV:
		return "gone"
	case err != nil:
		return "unknown"
	case answer != nil && answer.Uint16()&unix.IFF_UP == 0:
		return "down"
	}
	return "up"
}

// CurrentMTU returns the link's current MTU in bytes, which a user may change at any
// time. If the kernel does not answer, it returns the MTU from the start.
func (l *Link) CurrentMTU() int {
	if answer, err := l.look(unix.SIOCGIFMTU); err == nil && answer != nil {
		return int(answer.Uint32())
	}
	return l.MTU
}
