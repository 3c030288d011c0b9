package tun

import (
	"fmt"
	"net/netip"
)

// A Link is an open device and what is known about it.
type Link struct {
	Device

	Network string       // where the peer lives: "private", "host" or "memory"
	Why     string       // why this network was chosen, and any problem with it
	Name    string       // the device's name
	Addr    netip.Prefix // the peer's IPv4 address
	Addr6   netip.Prefix // the peer's IPv6 address; zero means that IPv6 is off
	MTU     int          // in bytes, at the start
	Holder  int          // process id of the private network's holder; 0 means none
}

// Agent returns the agent's IPv4 address: the one after the peer's, or the one before it
// if the peer's is the last.
func (l *Link) Agent() netip.Addr { return agentIn(l.Addr) }

// Agent6 returns the agent's IPv6 address in the same way. It is the zero Addr
// if IPv6 is off.
func (l *Link) Agent6() netip.Addr { return agentIn(l.Addr6) }

// Open opens the link that cfg describes. The program's main function must call
// RunHolder first. Open takes at most about 20 s. Its errors end with the next step.
func Open(cfg Config) (*Link, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("open a link: %w", err)
	}
	asked := cfg
	cfg = cfg.withDefaults()

	var link *Link
	var err error
	why := cfg.Network + " was requested"
	switch cfg.Network {
	case NetworkPrivate:
		link, err = openPrivate(cfg)
	case NetworkHost:
		link, err = openHost(asked)
	case NetworkMemory:
		link, err = openMemory(cfg)
	case NetworkAuto:
		var refused error
		if link, refused = openPrivate(cfg); refused != nil {
			link, err = openMemory(cfg)
		}
		_, why = choose(refused)
	}
	if err != nil {
		return nil, fmt.Errorf("open a link (network %s): %w", cfg.Network, err)
	}
	if link.Why != "" { // a note from opening the link
		why += "; " + link.Why
	}
	link.Why = why
	return link, nil
}

// choose returns the network for auto and the reason. refused is the error of opening a
// private link, or nil.
func choose(refused error) (network, why string) {
	if refused == nil {
		return NetworkPrivate, "this machine allows private network namespaces"
	}
	return NetworkMemory, "private is not available: " + refused.Error()
}

// tryPrivate opens a private link and closes it again.
func tryPrivate() error {
	link, err := openPrivate(Config{Network: NetworkPrivate}.withDefaults())
	if err != nil {
		return err
	}
	return link.Close()
}
