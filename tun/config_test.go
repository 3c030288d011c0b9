package tun

import (
	"net/netip"
	"strings"
	"testing"
)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestConfigValidate(t *testing.T) {
	v6 := prefix("2001:db8:77::1/64")
	for _, c := range []struct {
		name string
		cfg  Config
		want string // part of the error; empty means no error
	}{
		{"zero", Config{}, ""},
		{"all set", Config{Network: "private", Name: "wire-0", Addr: prefix("192.0.2.1/30"), Addr6: v6, MTU: 9000}, ""},
		{"unknown network", Config{Network: "bridge"}, `--network "bridge": unknown; use auto`},
		{"name of 15 bytes", Config{Name: "abcdefghijklmno"}, ""},
		{"name of 16 bytes", Config{Name: "abcdefghijklmnop"}, `--name "abcdefghijklmnop": 16 bytes long; use at most 15`},
		{"name with a slash", Config{Name: "a/b"}, "use letters"},
		{"name with a blank", Config{Name: "a b"}, "use letters"},
		{"name with a template", Config{Name: "tun%d"}, "use letters"},
		{"name of the loopback", Config{Name: "lo"}, "reserved by the system"},
		{"name of a folder", Config{Name: ".."}, "reserved by the system"},
		{"IPv6 as IPv4", Config{Addr: v6}, "--addr 2001:db8:77::1/64: not IPv4"},
		{"IPv4 as IPv6", Config{Addr6: prefix("10.77.0.1/24")}, "--addr6 10.77.0.1/24: not IPv6"},
		{"mapped IPv4 as IPv6", Config{Addr6: netip.PrefixFrom(netip.MustParseAddr("::ffff:10.77.0.1"), 100)}, "not IPv6"},
		{"no prefix", Config{Addr: netip.PrefixFrom(netip.MustParseAddr("10.77.0.1"), 33)}, "not an address with a prefix"},
		{"/32", Config{Addr: prefix("10.77.0.1/32")}, "no room for the agent in this prefix; use /31"},
		{"/31", Config{Addr: prefix("10.77.0.0/31")}, ""},
		{"network address", Config{Addr: prefix("10.77.0.0/24")}, "the address of the network itself; use the address of a host, like 10.77.0.1/24"},
		{"broadcast address", Config{Addr: prefix("10.77.0.255/24")}, "like 10.77.0.254/24"},
		{"loopback", Config{Addr: prefix("127.0.0.1/8")}, "--addr 127.0.0.1/8: not an address that a host can have; use one like 10.77.0.1/24"},
		{"multicast", Config{Addr: prefix("224.0.0.1/24")}, "not an address that a host can have"},
		{"IPv6 link-local", Config{Addr6: prefix("fe80::1/64")}, "--addr6 fe80::1/64: link-local; use a global or unique local address, like 2001:db8:77::1/64"},
		{"IPv6 loopback", Config{Addr6: prefix("::1/64")}, "--addr6 ::1/64: not an address that a host can have; use one like 2001:db8:77::1/64"},
		{"IPv6 multicast", Config{Addr6: prefix("ff02::1/64")}, "use one like 2001:db8:77::1/64"},
		{"/128", Config{Addr6: prefix("2001:db8::1/128")}, "use /127"},
		{"/127", Config{Addr6: prefix("2001:db8::/127")}, ""},
		{"anycast address", Config{Addr6: prefix("2001:db8::/64")}, "like 2001:db8::1/64"},
		{"MTU 68", Config{MTU: 68}, ""},
		{"MTU 67", Config{MTU: 67}, "--mtu 67: out of range; use 68 (RFC 791) to 65535"},
		{"MTU below zero", Config{MTU: -1}, "use 68"},
		{"MTU 65535", Config{MTU: 65535}, ""},
		{"MTU 65536", Config{MTU: 65536}, "out of range"},
		{"MTU 1280 with IPv6", Config{MTU: 1280, Addr6: v6}, ""},
		{"MTU 1279 with IPv6", Config{MTU: 1279, Addr6: v6}, "use 1280 (RFC 8200, for IPv6)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.cfg.Validate()
			switch {
			case c.want == "" && err != nil:
				t.Errorf("Validate returned %v, want nil", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("Validate returned %v, want %q in it", err, c.want)
			}
			if c.want == "" {
				return
			}
			if link, err := Open(c.cfg); err == nil {
				link.Close()
				t.Error("Open accepted it")
			}
		})
	}
}

func TestConfigDefaults(t *testing.T) {
	want := Config{Network: "auto", Name: "tun0", Addr: prefix("10.77.0.1/24"), MTU: 1500}
	if got := (Config{}).withDefaults(); got != want {
		t.Errorf("the zero Config means %+v, want %+v", got, want)
	}
	if got := (Config{Network: "host"}).withDefaults().Name; got != "tunmcp0" {
		t.Errorf("the device in the host network is called %s, want tunmcp0", got)
	}
}

func TestAgent(t *testing.T) {
	for _, c := range []struct{ peer, want string }{
		{"10.77.0.1/24", "10.77.0.2"},
		{"10.77.0.253/24", "10.77.0.254"},
		{"10.77.0.254/24", "10.77.0.253"}, // .255 is the broadcast address
		{"10.77.0.1/30", "10.77.0.2"},
		{"10.77.0.2/30", "10.77.0.1"},
		{"10.77.0.0/31", "10.77.0.1"},
		{"10.77.0.1/31", "10.77.0.0"},
		{"255.255.255.254/24", "255.255.255.253"},
		{"2001:db8:77::1/64", "2001:db8:77::2"},
		{"2001:db8::1/127", "2001:db8::"},
		{"2001:db8::f/124", "2001:db8::e"},
		{"2001:db8::e/124", "2001:db8::f"},
	} {
		link := &Link{Addr: prefix(c.peer), Addr6: prefix(c.peer)}
		want := netip.MustParseAddr(c.want)
		if got := link.Agent(); got != want {
			t.Errorf("with the peer %s the agent is %s, want %s", c.peer, got, want)
		}
		if got := link.Agent6(); got != want {
			t.Errorf("with the peer %s the agent is %s, want %s", c.peer, got, want)
		}
	}
	none := &Link{Addr: prefix("10.77.0.1/32")}
	if none.Agent().IsValid() || none.Agent6().IsValid() {
		t.Errorf("without a prefix the agent is %s and %s, want none", none.Agent(), none.Agent6())
	}
}
