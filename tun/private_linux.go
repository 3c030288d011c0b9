package tun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	startTimeout = 20 * time.Second // for the holder's first answer: on a busy machine the kernel takes seconds to make a namespace
	askTimeout   = 5 * time.Second  // for its later answers
	closeTimeout = 2 * time.Second  // for its exit, before it is killed
)

// A privateDevice is a TUN device in the network namespace of a holder.
type privateDevice struct {
	*descriptor
	holder  *exec.Cmd
	socket  *net.UnixConn   // the holder exits when it is closed
	sockets *asker          // asks the holder for sockets
	view    view            // queries the device, even without the holder
	living  context.Context // ends with the device
	die     context.CancelFunc
	gone    chan struct{} // closed after the holder's exit
}

// openPrivate opens a link whose peer is the kernel, in a new user and network
// namespace.
func openPrivate(cfg Config) (*Link, error) {
	holder, socket, stderr, err := startHolder()
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	fds, name, err := receive(socket, cfg, time.Now().Add(startTimeout))
	if err != nil {
		socket.Close()
		if !errors.Is(err, errNoAnswer) {
			holder.Process.Kill()
		}
		kill := time.AfterFunc(closeTimeout, func() { holder.Process.Kill() })
		holder.Wait()
		kill.Stop()
		if errors.Is(err, errNoAnswer) {
			err = unanswered(holder.ProcessState.String(), readStderr(stderr))
		}
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

// watchHolder passes the holder's answers to the asker until the holder ends or Close is
// called. Then it ends the device.
func (d *privateDevice) watchHolder() {
	defer close(d.gone)
	message, rights := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	for {
		n, oobn, _, _, err := d.socket.ReadMsgUnix(message, rights) // its descriptors are close-on-exec
		if err != nil {
			break // io.EOF if the holder is gone, otherwise Close was called
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

// Close ends the device and waits until the holder and its namespace are gone.
func (d *privateDevice) Close() error {
	d.end(nil) // first, or the end of the socket would become the cause
	d.die()
	_ = d.socket.SetWriteDeadline(time.Now().Add(closeTimeout))
	_, _ = d.socket.Write([]byte(farewell)) // fails if the holder is already gone
	d.socket.Close()
	<-d.gone
	return nil
}

// dial opens a socket in the holder's network namespace and connects it from this
// process. It also ends when the device ends.
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

// startHolder starts this program again as the holder of a new user and network
// namespace. stderr has the holder's stderr until it has answered.
func startHolder() (cmd *exec.Cmd, socket *net.UnixConn, stderr *os.File, err error) {
	if isHolder() {
		return nil, nil, nil, errors.New("start a holder: this process already is one; call tun.RunHolder first in main")
	}
	stderr, theirStderr, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("create a pipe for the holder: %w", err)
	}
	defer theirStderr.Close()
	defer func() {
		if err != nil {
			stderr.Close()
		}
	}()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("make a socket pair for the holder: %w", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "holder socket")
	defer theirs.Close()
	ours, err := newSocket(pair[0])
	if err != nil {
		return nil, nil, nil, fmt.Errorf("make a socket pair for the holder: %w", err)
	}

	holder := &exec.Cmd{
		Path: "/proc/self/exe", // this program, even if its file was replaced
		Args: []string{holderName},
		// Not the server's environment, in which a client may have put secrets.
		Env:        []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
		Dir:        "/", // so that file systems can be unmounted
		Stderr:     theirStderr,
		ExtraFiles: []*os.File{theirs}, // stdin and stdout are /dev/null
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
			Setsid:      true, // otherwise Ctrl-C would also reach the holder
		},
	}
	if err := holder.Start(); err != nil {
		ours.Close()
		return nil, nil, nil, forbidden("make a user and network namespace", err)
	}
	return holder, ours, stderr, nil
}

// errNoAnswer is the error if the holder ended before it answered.
var errNoAnswer = errors.New("wait for the holder of the private network: it ended without an answer")

// readStderr returns the stderr of a holder that has ended, as far as it fitted into the
// pipe.
func readStderr(stderr *os.File) string {
	text, _ := io.ReadAll(io.LimitReader(stderr, 64<<10))
	return string(text)
}

// unanswered returns the error for a holder that ended without an answer, based on its
// exit state and stderr. It also occurs if a program does not call RunHolder.
func unanswered(state, stderr string) error {
	stderr = strings.TrimSpace(stderr)
	first, _, _ := strings.Cut(stderr, "\n")
	cause, todo := state, "try again, or use --network memory"
	switch {
	case strings.Contains(stderr, "failed to create new OS thread"), strings.Contains(stderr, "pthread_create failed"):
		cause, todo = "it could not start its threads", "allow this user more processes with ulimit -u, or raise the container's limit of pids, or use --network memory"
	case strings.Contains(stderr, "out of memory"), strings.Contains(stderr, "cannot allocate memory"):
		cause, todo = "it had no memory", "allow this program more memory (ulimit -v, or the container's limit), or use --network memory"
	case stderr != "":
		cause += fmt.Sprintf(", %+.200q", first)
	}
	return &refusal{What: errNoAnswer.Error(), Cause: cause, Todo: todo}
}

// receive sends cfg to the holder and waits for its answer until the deadline. It
// returns the descriptors of the new device and of a socket in its namespace, and the
// device's name.
func receive(socket *net.UnixConn, cfg Config, deadline time.Time) (fds []int, name string, err error) {
	message, err := json.Marshal(cfg)
	if err != nil {
		return nil, "", err
	}
	socket.SetDeadline(deadline)
	defer socket.SetDeadline(time.Time{})
	rights := make([]byte, unix.CmsgSpace(2*4))
	var n, oobn int
	if _, err = socket.Write(message); err == nil {
		message = make([]byte, maxMessage)
		n, oobn, _, _, err = socket.ReadMsgUnix(message, rights) // its descriptors are close-on-exec
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, "", fmt.Errorf("wait for the holder of the private network: no answer in %v; try again, or use --network memory (%w)", startTimeout, err)
	case err != nil: // also a write to a holder that has ended
		return nil, "", errNoAnswer
	}
	var a answer
	if err := json.Unmarshal(message[:n], &a); err != nil {
		return nil, "", fmt.Errorf("decode the answer of the private network's holder: %w", err)
	}
	if a.Refused != nil {
		return nil, "", a.Refused
	}
	fds = takeDescriptors(rights[:oobn])
	if len(fds) != 2 { // the kernel drops descriptors over this process's limit
		for _, fd := range fds {
			unix.Close(fd)
		}
		return nil, "", fmt.Errorf("take the device and a socket from the holder: %s arrived; allow this process more descriptors with ulimit -n, or use --network memory", [...]string{"neither", "only one"}[len(fds)&1])
	}
	return fds, a.Name, nil
}
