//go:build !linux

package tun

import (
	"errors"
	"net/netip"
)

// openKernelEcho has no kernel to ask: only on Linux can one be the peer.
func openKernelEcho(dialer, netip.Addr) (Echo, error) {
	return nil, errors.New("open an echo socket of the peer's kernel: this system has none to offer; use --network memory")
}
