package tun

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// holderName is the name of the holder of a private network: argv[0] and the name in
// ps. It has at most 15 bytes.
const holderName = "tun-mcp-holder"

// ExecCommand returns the command line that runs args on the peer of an open link. For
// "private" it enters the holder's namespaces; for "host" it returns args. network and
// holder come from the Link.
func ExecCommand(network string, holder int, args []string) ([]string, error) {
	if len(args) == 0 {
		return nil, errors.New("run a program on the peer: no program given; name one, like ping 10.77.0.2")
	}
	switch network {
	case NetworkHost:
		return args, nil
	case NetworkMemory:
		return nil, errors.New("run a program on the peer: a memory network has no programs; use `tun-mcp ping`, or start the server with --network private")
	case NetworkPrivate:
	default:
		return nil, fmt.Errorf("run a program on the peer: the network %q is unknown; use private, host or memory", network)
	}
	// If the process id was reused, this would be another process's network.
	comm, err := os.ReadFile("/proc/" + strconv.Itoa(holder) + "/comm")
	if err != nil || strings.TrimSpace(string(comm)) != holderName {
		return nil, fmt.Errorf("run a program on the peer: process %d is not the holder of a private network; start the server again", holder)
	}
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		return nil, fmt.Errorf("run a program on the peer: %w; install util-linux", err)
	}
	// Without --preserve-credentials, nsenter would call setgroups, which is denied
	// in the namespace of an ordinary user. With --setuid, root may also enter it and
	// has the user's rights there.
	argv := []string{nsenter, "--target=" + strconv.Itoa(holder), "--user", "--preserve-credentials", "--setuid=0", "--net", "--"}
	return append(argv, args...), nil
}
