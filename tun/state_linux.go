package tun

import (
	"os"

	"golang.org/x/sys/unix"
)

// A view looks at a device from a socket in its network namespace. It needs no
// holder that reacts, and no privilege.
type view struct{ socket *os.File }

// newView takes fd over, a socket of any kind.
func newView(fd int) view { return view{os.NewFile(uintptr(fd), "view")} }

// ask asks the kernel for one thing of the device called name.
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

// look asks the kernel for one thing of the device; it is nil for a stack in
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

// State says whether the peer's end of the link is "up" or "down", "gone" once
// the device or the link has ended, "unknown" where it cannot be asked. It asks
// the kernel: a user may set a link down under way.
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

// CurrentMTU is the longest packet that the link carries now, in bytes: a user
// may change it under way. It is that of the start where it cannot be asked.
func (l *Link) CurrentMTU() int {
	if answer, err := l.look(unix.SIOCGIFMTU); err == nil && answer != nil {
		return int(answer.Uint32())
	}
	return l.MTU
}
