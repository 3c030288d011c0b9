package tun

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A hostDevice is a TUN device in this machine's own network.
type hostDevice struct{ *descriptor }

// dial opens a socket like any program on this machine.
func (hostDevice) dial(ctx context.Context, network string, to netip.AddrPort, ttl int) (net.Conn, error) {
	if kind, ok := socketKinds[network]; ok && strings.HasPrefix(network, "icmp") { // package net does not know these
		fd, err := unix.Socket(kind.Domain, kind.Type|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, kind.Protocol)
		if err != nil {
			return nil, os.NewSyscallError("socket", err)
		}
		return connect(ctx, fd, to, ttl)
	}
	d := net.Dialer{
		KeepAlive: -1, // off
		Control: func(_, _ string, raw syscall.RawConn) (err error) {
			outer := raw.Control(func(fd uintptr) { err = setTTL(int(fd), to.Addr(), ttl) })
			return errors.Join(outer, err)
		},
	}
	return d.DialContext(ctx, network, to.String())
}

// connect connects a socket to an address. It takes ownership of fd, which must be new,
// non-blocking and of the address's family.
func connect(ctx context.Context, fd int, to netip.AddrPort, ttl int) (net.Conn, error) {
	err := setTTL(fd, to.Addr(), ttl)
	if err == nil {
		// Do this before the runtime polls the socket: a stream socket that never connected
		// counts as hung up.
		err = os.NewSyscallError("connect", unix.Connect(fd, sockaddr(to)))
	}
	f := os.NewFile(uintptr(fd), "socket on the peer")
	defer f.Close() // net has its own copy
	if errors.Is(err, unix.EINPROGRESS) || errors.Is(err, unix.EINTR) {
		err = waitConnected(ctx, f)
	}
	if err != nil {
		return nil, err
	}
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.SetKeepAlive(false); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// waitConnected waits until f is connected, the connect has failed, or ctx ends.
func waitConnected(ctx context.Context, f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetWriteDeadline(time.Unix(1, 0)) }) // a deadline in the past ends the wait
	defer stop()
	var fault error
	if err := raw.Write(func(fd uintptr) (done bool) {
		done, fault = connected(int(fd))
		return done
	}); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return fault
}

// connected reports whether a connect in progress has finished, and with what
// error.
func connected(fd int) (done bool, err error) {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return true, os.NewSyscallError("getsockopt", err)
	}
	switch errno := unix.Errno(errno); errno {
	case 0:
		// A wake-up may be spurious: only a connected socket has a peer.
		_, err := unix.Getpeername(fd)
		return err == nil, nil
	case unix.EINPROGRESS, unix.EALREADY, unix.EINTR:
		return false, nil
	default:
		return true, os.NewSyscallError("connect", errno)
	}
}

// setTTL sets the TTL of a new socket. Zero means the system's default.
func setTTL(fd int, to netip.Addr, ttl int) error {
	if ttl == 0 {
		return nil
	}
	level, option := unix.IPPROTO_IP, unix.IP_TTL
	if to.Is6() {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, level, option, ttl))
}

func sockaddr(to netip.AddrPort) unix.Sockaddr {
	if to.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
}
