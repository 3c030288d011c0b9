//go:build !linux

package tun

import "runtime"

// RunHolder does nothing: only Linux has private networks.
func RunHolder(func(path string)) {}

func openPrivate(Config) (*Link, error) { return nil, needsLinux(NetworkPrivate) }

func openHost(Config) (*Link, error) { return nil, needsLinux(NetworkHost) }

func needsLinux(network string) error {
	return &refusal{
		What:  "open a device in the " + network + " network",
		Cause: "this needs Linux, but this system is " + runtime.GOOS,
		Todo:  "use --network memory",
	}
}

// probe finds nothing: it checks features of Linux.
func probe() []Finding { return nil }
