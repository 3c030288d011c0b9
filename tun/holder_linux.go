package tun

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The holder is a process in its own network namespace, so the server needs no
// privilege and stays in its namespace. Both share a SOCK_SEQPACKET socket pair. First
// the server sends the Config, and the holder answers with the descriptors of the
// device and of a socket. After that, each message is a request for a socket in the
// namespace, or the answer to one. The pair also shows whether the other side is alive,
// since its end closes however it exits.

// holderSocket is the holder's descriptor of its end of the socket pair.
const holderSocket = 3

// maxMessage is a size in bytes that no message reaches.
const maxMessage = 16 << 10

// An answer is the holder's response to its Config. If Refused is nil, the
// descriptors come with it.
type answer struct {
	Name    string   // the device's name
	Refused *refusal // why there is no device
}

// RunHolder must be the first call in main, and in TestMain of tests that open links. If
// Open has started this process as the holder of a private network, RunHolder does that
// job and exits. Otherwise it returns at once. If the server ends without a farewell,
// the holder calls clean with Config.Cleanup.
func RunHolder(clean func(path string)) {
	if !isHolder() {
		return
	}
	if err := hold(clean); err != nil {
		fmt.Fprintln(os.Stderr, holderName+":", err)
		unix.Exit(1)
	}
	unix.Exit(0) // nothing is left to do, and under the race detector os.Exit would sleep for a second
}

// isHolder reports whether this process was started as a holder. A process may
// have no arguments at all, not even its name.
func isHolder() bool { return len(os.Args) > 0 && os.Args[0] == holderName }

func hold(clean func(path string)) error {
	// The server gets Ctrl-C and a service manager's SIGTERM too. It may use the link
	// until its end, so the holder ends only with the server.
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	// Otherwise its name would be "exe", since it was started through /proc/self/exe.
	os.WriteFile("/proc/self/comm", []byte(holderName), 0)
	closeInherited()

	socket, err := newSocket(holderSocket)
	if err != nil {
		return fmt.Errorf("take the server's socket: %w; the holder is started by the server, not by hand", err)
	}
	defer socket.Close()

	message := make([]byte, maxMessage)
	n, err := socket.Read(message)
	if err != nil {
		return fmt.Errorf("read the config: %w", err)
	}
	var cfg Config
	if err := json.Unmarshal(message[:n], &cfg); err != nil {
		return fmt.Errorf("decode the config: %w", err)
	}

	a := answer{Name: cfg.Name}
	var rights []byte
	device, view, err := furnish(cfg)
	if err != nil {
		a.Refused = refused(err)
	} else {
		rights = unix.UnixRights(device, view)
	}
	message, err = json.Marshal(a)
	if err != nil {
		return err
	}
	if _, _, err := socket.WriteMsgUnix(message, rights, nil); err != nil {
		return fmt.Errorf("answer the server: %w", err)
	}
	leaveStderr()
	unix.Close(device) // the server has it now; the device goes when the server closes it
	unix.Close(view)

	if closed := serveSockets(socket); !closed && cfg.Cleanup != "" {
		clean(cfg.Cleanup)
	}
	return nil
}

// leaveStderr replaces the server's pipe by /dev/null. If there is no /dev/null, later
// output is lost.
func leaveStderr() {
	if null, err := unix.Open(os.DevNull, unix.O_WRONLY|unix.O_CLOEXEC, 0); err == nil {
		_ = unix.Dup3(null, unix.Stderr, 0)
		unix.Close(null)
	}
}

// furnish sets up the namespace as a host, and returns the descriptors of the TUN
// device and of a socket to query it.
func furnish(cfg Config) (device, view int, err error) {
	if err := checkTUN(); err != nil {
		return -1, -1, err
	}
	// This process opens the device, so the device stays in its namespace, wherever
	// the descriptor goes.
	device, err = createTUN(cfg.Name, false)
	if err != nil {
		return -1, -1, forbidden("create the device "+cfg.Name+" in a network namespace", err)
	}
	if err := configure(cfg.Name, cfg); err != nil {
		return -1, -1, err
	}
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return -1, -1, fmt.Errorf("bring the link lo up: %w", err)
	}
	// For IPv4 redirects the kernel combines this with the device's setting by OR.
	os.WriteFile("/proc/sys/net/ipv4/conf/all/accept_redirects", []byte("0"), 0)
	// Lets ping work without a raw socket. In some places it is read-only.
	os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte("0 0"), 0)
	view, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, fmt.Errorf("open a socket in the private network: %w", err)
	}
	return device, view, nil
}

// refused converts err to a refusal, which can be sent as JSON.
func refused(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	r := &refusal{What: "prepare the private network", Cause: err.Error(), Todo: lastResort(err)}
	errors.As(err, &r.Errno)
	return r
}

// closeInherited closes the descriptors that the server itself inherited without
// close-on-exec. The holder must not keep a client's pipes open after the server has
// ended. The Go runtime's own descriptors are close-on-exec.
func closeInherited() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= holderSocket {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(fd)
		}
	}
}

// newSocket takes ownership of fd, one end of the socket pair.
func newSocket(fd int) (*net.UnixConn, error) {
	f := os.NewFile(uintptr(fd), "holder socket")
	defer f.Close() // net has its own copy
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		conn.Close()
		return nil, syscall.ENOTSOCK
	}
	return socket, nil
}
