//go:build !linux

package tun

import (
	"errors"
	"net/netip"
)

// openKernelEcho always fails: only on Linux can the kernel be the peer.
func openKernelEcho(dialer, netip.Addr) (Echo, error) {
	return nil, errors.New("open an echo socket of the peer's kernel: this needs Linux; use --network memory")
}
