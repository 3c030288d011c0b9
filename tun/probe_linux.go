package tun

import (
	"os/exec"

	"golang.org/x/sys/unix"
)

// probe looks at what the private and host networks stand on.
func probe() []Finding {
	device := Finding{What: tunPath, OK: true, Detail: "this user may open it"}
	if err := checkTUN(); err != nil {
		device = unmet(device.What, err)
	}

	host := Finding{What: "host network", OK: true, Detail: "this process has CAP_NET_ADMIN"}
	if !hasNetAdmin() {
		host = Finding{
			What:   host.What,
			Detail: "this process lacks CAP_NET_ADMIN",
			Todo:   "only if you want the real machine's network: " + makeCommands(Config{Network: NetworkHost}.withDefaults()),
		}
	}

	nsenter := Finding{What: "nsenter", OK: true}
	if path, err := exec.LookPath("nsenter"); err == nil {
		nsenter.Detail = path
	} else {
		nsenter = Finding{What: "nsenter", Detail: err.Error(), Todo: "install util-linux for `tun-mcp exec` in private networks"}
	}
	return []Finding{device, host, nsenter}
}

// hasNetAdmin tells whether this thread may create devices in its network
// namespace's user namespace.
func hasNetAdmin() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData // 32 capabilities each
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_NET_ADMIN) != 0
}
