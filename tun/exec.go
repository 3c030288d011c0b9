package tun

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// holderName is what the holder of a private network is called, argv[0] and the
// name that ps shows: 15 bytes at most.
const holderName = "tun-mcp-holder"

// ExecCommand returns the command line that runs args on the peer of an open
// link: in the holder's namespaces for "private", as they are for "host". The
// network and the holder are those of the Link.
func ExecCommand(network string, holder int, args []string) ([]string, error) {
	if len(args) == 0 {
		return nil, errors.New("run a program on the peer: none given; name one, like ping 10.77.0.2")
	}
	switch network {
	case NetworkHost:
		return args, nil
	case NetworkMemory:
		return nil, errors.New("run a program on the peer: a memory network has no programs; use `tun-mcp ping`, or start the server with --network private")
	case NetworkPrivate:
	default:
		return nil, fmt.Errorf("run a program on the peer: network %q is not known; it is private, host or memory", network)
	}
	// A process id that was used again would lead into somebody else's network.
	comm, err := os.ReadFile("/proc/" + strconv.Itoa(holder) + "/comm")
	if err != nil || strings.TrimSpace(string(comm)) != holderName {
		return nil, fmt.Errorf("run a program on the peer: process %d is not the holder of a private network (any more); start the server again", holder)
	}
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		return nil, fmt.Errorf("run a program on the peer: %w; install util-linux", err)
	}
	// Without --preserve-credentials nsenter calls setgroups, which is denied
	// in a namespace that an ordinary user made. With --setuid, root may enter
	// that of an ordinary user and has its rights there.
	argv := []string{nsenter, "--target=" + strconv.Itoa(holder), "--user", "--preserve-credentials", "--setuid=0", "--net", "--"}
	return append(argv, args...), nil
}
