package tun

import "github.com/tun-mcp/tun-mcp/tun/netstack"

// openMemory opens a link whose peer is gVisor's netstack inside this process.
func openMemory(cfg Config) (*Link, error) {
	peer, err := netstack.New(netstack.Config{Addr: cfg.Addr, Addr6: cfg.Addr6, MTU: cfg.MTU})
	if err != nil {
		return nil, err
	}
	return &Link{
		Device:  peer,
		Network: NetworkMemory,
		Name:    cfg.Name,
		Addr:    cfg.Addr,
		Addr6:   cfg.Addr6,
		MTU:     cfg.MTU,
	}, nil
}
