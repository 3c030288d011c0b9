package tun

import (
	"errors"
	"net"
	"os/exec"

	"golang.org/x/sys/unix"
)

// probe checks what the private and host networks need.
func probe() []Finding {
	device := Finding{What: tunPath, OK: true, Detail: "this user may open it"}
	if err := checkTUN(); err != nil {
		device = unmet(device.What, err)
	}

	nsenter := Finding{What: "nsenter", OK: true}
	if path, err := exec.LookPath("nsenter"); err == nil {
		nsenter.Detail = path
	} else {
		nsenter = Finding{What: "nsenter", Detail: err.Error(), Todo: "install util-linux for `tun-mcp exec` in private networks"}
	}
	return []Finding{device, probeHost(), nsenter}
}

// probeHost checks whether the host network works: it needs the right to create a
// device, or a device of this user. It really attaches to such a device, and releases
// it.
func probeHost() Finding {
	const what = "host network"
	if hasNetAdmin() {
		return Finding{What: what, OK: true, Detail: "this process has CAP_NET_ADMIN"}
	}
	cfg := Config{Network: NetworkHost}.withDefaults()
	if _, err := net.InterfaceByName(cfg.Name); err != nil {
		return Finding{
			What:   what,
			Detail: "this process lacks CAP_NET_ADMIN",
			Todo:   "only if you want the real machine's network: " + makeCommands(cfg),
		}
	}
	link, err := openHost(Config{Network: NetworkHost})
	owned := Finding{What: what, OK: true, Detail: "the device " + cfg.Name + " belongs to this user"}
	switch {
	case errors.Is(err, unix.EBUSY): // the kernel checks the owner first
		owned.Detail += "; it is in use"
		return owned
	case err != nil:
		return unmet(what, err)
	}
	link.Close()
	return owned
}

// hasNetAdmin reports whether this thread may create devices in its network namespace.
func hasNetAdmin() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData // 32 capabilities each
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_NET_ADMIN) != 0
}
