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

// The holder is a process that lives in a network namespace of its own, so
// that the server needs no privilege and stays where it is. It and the server
// share a SOCK_SEQPACKET socket pair. First the Config goes to the holder, and
// an answer with the device's descriptor and a socket's comes back. From then on each message
// asks for a socket of the namespace, or answers that. And the socket says that
// the other is alive: however one goes, its end closes.

// holderSocket is the holder's descriptor of its end of the socket pair.
const holderSocket = 3

// maxMessage is more than any message has, in bytes.
const maxMessage = 16 << 10

// An answer is what the holder made of its Config. The descriptors come with
// it if Refused is nil.
type answer struct {
	Name    string   // the device's name
	Refused *refusal // why there is none
}

// RunHolder has to be the first call of main, and of TestMain where tests open
// links. In a process that Open started as the holder of a private network it
// does that job and exits; in any other it returns at once. Clean is called with
// Config.Cleanup when the server is gone without a word.
func RunHolder(clean func(path string)) {
	if !isHolder() {
		return
	}
	if err := hold(clean); err != nil {
		fmt.Fprintln(os.Stderr, holderName+":", err)
		unix.Exit(1)
	}
	unix.Exit(0) // at once: nothing is left to do, and under the race detector os.Exit would sleep for a second
}

// isHolder tells whether this process was started as one. A process may have no
// arguments at all, not even its name.
func isHolder() bool { return len(os.Args) > 0 && os.Args[0] == holderName }

func hold(clean func(path string)) error {
	// Ctrl-C and a service manager's SIGTERM go to the server too. It may want
	// to use the link to the last, so only its end is the holder's.
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	// Started through /proc/self/exe, it would be called "exe".
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
	unix.Close(device) // it is the server's now, and goes when it closes it
	unix.Close(view)

	if closed := serveSockets(socket); !closed && cfg.Cleanup != "" {
		clean(cfg.Cleanup)
	}
	return nil
}

// furnish puts into the namespace what a host has, and returns the descriptors
// of the TUN device and of a socket to look at it through.
func furnish(cfg Config) (device, view int, err error) {
	if err := checkTUN(); err != nil {
		return -1, -1, err
	}
	// Opened by this process, the device belongs to its namespace, wherever
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
		return -1, -1, fmt.Errorf("set the link lo up: %w", err)
	}
	// Lets ping work without a raw socket; not everywhere may it be written.
	os.WriteFile("/proc/sys/net/ipv4/ping_group_range", []byte("0 0"), 0)
	view, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, fmt.Errorf("open a socket in the private network: %w", err)
	}
	return device, view, nil
}

// refused turns err into what can be sent.
func refused(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	r := &refusal{What: "prepare the private network", Cause: err.Error(), Todo: "use --network memory"}
	errors.As(err, &r.Errno)
	return r
}

// closeInherited closes what the server itself inherited without close-on-exec:
// a holder must not keep a client's pipes open when the server is gone. The Go
// runtime's own descriptors are close-on-exec.
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

// newSocket takes fd over, one end of the socket pair.
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
