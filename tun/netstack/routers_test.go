package netstack

import (
	"encoding/hex"
	"slices"
	"testing"
)

// A router advertisement changes no routes and adds no addresses.
func TestNoRouterIsBelieved(t *testing.T) {
	s := newStack(t, Config{Addr: peer4, Addr6: peer6})
	routes, addresses := s.ip.GetRouteTable(), s.ip.AllAddresses()[nicID]
	advertisement, err := hex.DecodeString("6000000000303afffe80000000000000000000000000000220010db8007700000000000000000001860093f5400007080000000000000000030440c0ffffffffffffffff0000000020010db8006600000000000000000000")
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, advertisement) // processed when write returns
	if now := s.ip.GetRouteTable(); !slices.Equal(now, routes) {
		t.Errorf("routes were %v and are %v", routes, now)
	}
	if now := s.ip.AllAddresses()[nicID]; len(now) != len(addresses) {
		t.Errorf("addresses were %v and are %v", addresses, now)
	}
}
