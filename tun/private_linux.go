package tun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	startTimeout = 5 * time.Second // for the holder's answer
	closeTimeout = 2 * time.Second // for the holder's exit, before it is killed
)

// A privateDevice is a TUN device in the network namespace of a holder.
type privateDevice struct {
	*descriptor
	holder  *exec.Cmd
	socket  *net.UnixConn   // closed: the holder exits
	sockets *asker          // asks the holder for sockets
	view    view            // of the device, whatever becomes of the holder
	living  context.Context // ends with the device
	die     context.CancelFunc
	gone    chan struct{} // closed when the holder was waited for
}

// openPrivate opens a link whose peer is the kernel, in a user and network
// namespace of its own.
func openPrivate(cfg Config) (*Link, error) {
	holder, socket, err := startHolder()
	if err != nil {
		return nil, err
	}
	fds, name, err := receive(socket, cfg, time.Now().Add(startTimeout))
	if err != nil {
		socket.Close()
		holder.Process.Kill()
		holder.Wait()
		return nil, err
	}
	seen := newView(fds[1])
	d, err := newDescriptor(fds[0], name, fmt.Sprintf("tun-mcp exec -- ip link set %s up", name))
	if err != nil {
		seen.socket.Close()
		socket.Close()
		holder.Wait()
		return nil, err
	}
	device := &privateDevice{descriptor: d, holder: holder, socket: socket, sockets: newAsker(socket), view: seen, gone: make(chan struct{})}
	device.living, device.die = context.WithCancel(context.Background())
	go device.watchHolder()
	return &Link{
		Device:  device,
		Network: NetworkPrivate,
		Name:    name,
		Addr:    cfg.Addr,
		Addr6:   cfg.Addr6,
		MTU:     cfg.MTU,
		Holder:  holder.Process.Pid,
	}, nil
}

// watchHolder hands on what the holder answers, until that has ended, or Close
// was called. Then it ends the device.
func (d *privateDevice) watchHolder() {
	defer close(d.gone)
	message, rights := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	for {
		n, oobn, _, _, err := d.socket.ReadMsgUnix(message, rights) // its descriptors are close-on-exec
		if err != nil {
			break // io.EOF: the holder is gone; else Close
		}
		d.sockets.hear(message[:n], takeDescriptors(rights[:oobn]))
	}

	why := ending(fmt.Sprintf("the holder of the private network (process %d) ended; start the server again", d.holder.Process.Pid))
	d.end(&why)
	d.die()
	d.socket.Close()
	d.view.socket.Close()
	kill := time.AfterFunc(closeTimeout, func() { d.holder.Process.Kill() })
	defer kill.Stop()
	d.holder.Wait()
}

// Close ends the device and waits for the holder: with it, the namespace is
// gone.
func (d *privateDevice) Close() error {
	d.end(nil) // before the socket, whose end would be the cause otherwise
	d.die()
	_ = d.socket.SetWriteDeadline(time.Now().Add(closeTimeout))
	_, _ = d.socket.Write([]byte(farewell)) // if it fails, the holder is gone already
	d.socket.Close()
	<-d.gone
	return nil
}

// dial opens a socket in the holder's network namespace and connects it from
// here. It ends with the device, too.
func (d *privateDevice) dial(ctx context.Context, network string, to netip.AddrPort, ttl int) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.living, cancel)()
	fd, err := d.sockets.ask(ctx, socketKinds[network])
	var conn net.Conn
	if err == nil {
		conn, err = connect(ctx, fd, to, ttl)
	}
	if err != nil && d.living.Err() != nil {
		if cause := d.cause.Load(); cause != nil {
			return nil, *cause
		}
		return nil, errLinkClosed
	}
	return conn, err
}

// startHolder starts this program once more, as holder of a new user and
// network namespace.
func startHolder() (*exec.Cmd, *net.UnixConn, error) {
	if isHolder() {
		return nil, nil, errors.New("start a holder: this process is one; call tun.RunHolder first in main")
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair for the holder: %w", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "holder socket")
	defer theirs.Close()
	ours, err := newSocket(pair[0])
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket pair for the holder: %w", err)
	}

	holder := &exec.Cmd{
		Path: "/proc/self/exe", // this very program, even if its file was replaced since
		Args: []string{holderName},
		// Not the server's: a client may have put secrets into it.
		Env:        []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
		Dir:        "/",                // keeps no file system from being unmounted
		ExtraFiles: []*os.File{theirs}, // stdin, stdout and stderr are /dev/null
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
			Setsid:      true, // Ctrl-C goes to the terminal's whole process group
		},
	}
	if err := holder.Start(); err != nil {
		ours.Close()
		return nil, nil, forbidden("make a user and network namespace", err)
	}
	return holder, ours, nil
}

// receive sends the holder cfg and returns, by the deadline, the descriptors of
// the device that it made and of a socket beside it, and the device's name.
func receive(socket *net.UnixConn, cfg Config, deadline time.Time) (fds []int, name string, err error) {
	message, err := json.Marshal(cfg)
	if err != nil {
		return nil, "", err
	}
	socket.SetDeadline(deadline)
	defer socket.SetDeadline(time.Time{})
	if _, err := socket.Write(message); err != nil {
		return nil, "", fmt.Errorf("send the holder of the private network its config: %w", err)
	}
	message = make([]byte, maxMessage)
	rights := make([]byte, unix.CmsgSpace(2*4))
	n, oobn, _, _, err := socket.ReadMsgUnix(message, rights) // its descriptors are close-on-exec
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, "", fmt.Errorf("wait for the holder of the private network: no answer in %v; try again, or use --network memory (%w)", startTimeout, err)
	case err != nil:
		return nil, "", fmt.Errorf("wait for the holder of the private network: it ended without an answer: %w; main has to call tun.RunHolder first", err)
	}
	var a answer
	if err := json.Unmarshal(message[:n], &a); err != nil {
		return nil, "", fmt.Errorf("decode the answer of the private network's holder: %w", err)
	}
	if a.Refused != nil {
		return nil, "", a.Refused
	}
	fds = takeDescriptors(rights[:oobn])
	if len(fds) != 2 { // the kernel drops what this process has no room for
		for _, fd := range fds {
			unix.Close(fd)
		}
		return nil, "", fmt.Errorf("take the device and a socket from the holder: %s came; allow this process more descriptors with ulimit -n, or use --network memory", [...]string{"none", "one alone"}[len(fds)&1])
	}
	return fds, a.Name, nil
}
