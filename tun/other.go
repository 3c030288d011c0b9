//go:build !linux

package tun

import "runtime"

// RunHolder returns at once: only Linux has private networks.
func RunHolder(func(path string)) {}

func openPrivate(Config) (*Link, error) { return nil, needsLinux(NetworkPrivate) }

func openHost(Config) (*Link, error) { return nil, needsLinux(NetworkHost) }

func needsLinux(network string) error {
	return &refusal{
		What:  "open a device in the " + network + " network",
		Cause: "this needs Linux, and here is " + runtime.GOOS,
		Todo:  "use --network memory",
	}
}

// probe looks at what only Linux has: nothing here.
func probe() []Finding { return nil }
