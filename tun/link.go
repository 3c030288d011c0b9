package tun

import (
	"fmt"
	"net/netip"
)

// A Link is an open device and what is known about it.
type Link struct {
	Device

	Network string       // where the peer lives: "private", "host" or "memory"
	Why     string       // why this network was taken, and what is amiss with it
	Name    string       // the device's name
	Addr    netip.Prefix // the peer's IPv4 address
	Addr6   netip.Prefix // the peer's IPv6 address; zero: IPv6 is off
	MTU     int          // bytes
	Holder  int          // process id of the private network's holder; 0: there is none
}

// Agent returns the agent's IPv4 address: the one after the peer's, or the one
// before if the peer's is the last.
func (l *Link) Agent() netip.Addr { return agentIn(l.Addr) }

// Agent6 returns the agent's IPv6 address in the same way. It is the zero Addr
// if IPv6 is off.
func (l *Link) Agent6() netip.Addr { return agentIn(l.Addr6) }

// Open opens the link that cfg describes. The main function of a program that
// calls it has to call RunHolder first. Opening takes at most about 5 s; its
// errors end with what to do next.
func Open(cfg Config) (*Link, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("open a link: %w", err)
	}
	asked := cfg
	cfg = cfg.withDefaults()

	var link *Link
	var err error
	why := cfg.Network + " was asked for"
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
	if link.Why != "" { // what the opening has to say
		why += "; " + link.Why
	}
	link.Why = why
	return link, nil
}

// choose says what auto takes, given what opening a private link came to.
func choose(refused error) (network, why string) {
	if refused == nil {
		return NetworkPrivate, "this machine allows a network namespace of one's own"
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
