package e2e

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// On a private network and in memory, nothing that the agent writes gets out: not to
// the host, its neighbours or another session. A packet socket on every interface of
// the host and the other session's counters watch.
func TestNothingLeaves(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	all, w := escapes(t), watchWires(t)
	t.Logf("%d packets", len(all))

	// The watch can fail: on the host's own network with every destination allowed, it
	// sees each of these packets, and some leave by lan0.
	c := startServer(t, modernEra, "--network", "host", "--addr6", "2001:db8:77::1/64", "--allow-dest", "0.0.0.0/0,::/0")
	var seen []sighting
	for some := range slices.Chunk(all, 64) { // as many as certainly fit into the packet socket's buffer
		c.writeAll(t, some)
		seen = append(seen, w.seen()...)
	}
	if n, out := len(marked(seen, "tunmcp0")), len(marked(seen, "lan0")); n < len(all) || out == 0 {
		t.Fatalf("the watch has seen %d of %d packets, and %d leave: it proves nothing", n, len(all), out)
	}
	c.stop(t)
	w.seen()

	for _, network := range []string{"private", "memory"} {
		t.Run(network, func(t *testing.T) {
			other := startServer(t, modernEra, "--network", "private", "--addr6", "2001:db8:77::1/64")
			neighbour := other.connect()
			c := startServer(t, modernEra, "--network", network, "--addr6", "2001:db8:77::1/64")
			c.writeAll(t, all)
			if network == "private" {
				if got := device(t, vitals(t, c.connect())).given; got != uint64(len(all)) {
					t.Errorf("the peer received %d packets, want %d", got, len(all))
				}
			}
			for _, s := range w.seen() {
				t.Errorf("seen on %v", s)
			}
			quiet := vitals(t, neighbour)
			if d := device(t, quiet); d != (deviceCounts{}) || quiet.Counters != (session.Counters{}) {
				t.Errorf("the other session got something: %+v, %v", d, quiet)
			}

			// The peer cannot send out either, and nobody can send into the link.
			if conn, err := c.connect().Dial(t.Context(), "udp", "192.0.2.1:9", 0); err == nil {
				conn.Close()
				t.Error("the peer has a way to the host")
			} else if !errors.Is(err, syscall.ENETUNREACH) && !errors.Is(err, syscall.EHOSTUNREACH) {
				t.Errorf("the peer's way to the host: %v", err)
			}
			sendHere(t, "10.77.0.2:9")
			if out := marked(w.seen(), "lan0"); len(out) != 1 {
				t.Errorf("what the host sends to the agent's address should leave by lan0, once: %v", out)
			}
			if quiet = vitals(t, neighbour); quiet.Counters.Received != 0 {
				t.Errorf("the host reached the agent: %v", quiet)
			}

			// The other session's counters can fail, too.
			conn, err := neighbour.Dial(t.Context(), "udp", "10.77.0.2:9", 0)
			if err == nil {
				_, err = conn.Write(mark)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if got := device(t, when(t, neighbour, func(v vital) bool { return v.Counters.Received == 1 })); got.taken != 1 {
				t.Errorf("the device of the other session: %+v", got)
			}
		})
	}
}

// sendHere sends a datagram from this network namespace.
func sendHere(t *testing.T, to string) {
	t.Helper()
	conn, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(mark); err != nil {
		t.Fatal(err)
	}
}

// writeAll writes packets and checks that none is refused.
func (c *client) writeAll(t *testing.T, all []escape) {
	t.Helper()
	for i, line := range c.writeEscapes(all) {
		if !strings.HasSuffix(line, " bytes written") {
			t.Fatalf("%v: %s", all[i], line)
		}
	}
}

// stop ends the server the way its client does, and waits.
func (c *client) stop(t *testing.T) {
	t.Helper()
	c.stdin.Close()
	<-c.closed
	if err := c.process.Wait(); err != nil {
		t.Errorf("the server's exit: %v; stderr:\n%s", err, c.errors())
	}
}

// On the host's own network the server refuses packets that would leave the link, by
// their destination or by the answer to their source, and names the rule. The device,
// which was created beforehand, works throughout and outlives the server.
func TestHostStaysInside(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	tuntest.Run(t,
		"ip tuntap add dev pre0 mode tun",
		"ip link set pre0 addrgenmode none",
		"ip addr add 10.77.0.1/24 dev pre0",
		"ip addr add 2001:db8:77::1/64 dev pre0 nodad",
		"ip link set pre0 up",
	)
	all, w := escapes(t), watchWires(t)
	start := func(more ...string) *client {
		return startServer(t, modernEra, append([]string{"--network", "host", "--name", "pre0", "--addr6", "2001:db8:77::1/64"}, more...)...)
	}
	c := start()
	refused := 0
	for i, line := range c.writeEscapes(all) {
		switch e := all[i]; {
		case e.inside():
			if !strings.HasSuffix(line, " bytes written") {
				t.Errorf("%v is inside: %s", e, line)
			}
		case !strings.Contains(line, " is outside [10.77.0.0/24 2001:db8:77::/64]: ") || !strings.Contains(line, "--allow-dest CIDR"):
			t.Errorf("%v should be refused with the rule's name: %s", e, line)
		default:
			refused++
		}
	}
	counts := c.status().Counters
	if counts.Refused != uint64(refused) || counts.Written != uint64(len(all)-refused) || refused == 0 || refused == len(all) {
		t.Errorf("%d of %d were refused; counters %+v", refused, len(all), counts)
	}
	seen := w.seen()
	for _, s := range marked(seen, "lan0") {
		t.Errorf("seen on %v", s)
	}
	for _, s := range marked(seen, "lo") { // the peer may answer itself, where an IPv6 packet claims to be its own
		if src, dst, ok := packet.Addresses(s.data); !ok || !onLink(src) || !onLink(dst) {
			t.Errorf("seen on %v", s)
		}
	}
	if n := len(marked(seen, "pre0")); n < len(all)-refused {
		t.Errorf("the watch has seen %d packets on the link, want %d at least", n, len(all)-refused)
	}

	// The link still works, and the device outlives the server.
	ping := kinds(t, addresses("10.77.0.2")[0], addresses("10.77.0.1")[0])[0]
	// After a program attaches to the device, the kernel checks its carrier, up to a
	// second later. Packets that it sends before that are lost.
	const after = "ICMP echo reply id 7 seq 1, checksums ok" // no earlier packet had this identifier
	answered := ""
	for deadline := time.Now().Add(patience); !strings.Contains(answered, after) && time.Now().Before(deadline); {
		answered, _ = c.tool("write_packet", fmt.Sprintf(`{"assist": "fix", "packets": [{"hex": "%x", "patch": {"24": "0007"}}], "then_read": {"timeout_ms": 500, "max_packets": 64}}`, ping.data))
	}
	if !strings.Contains(answered, after) {
		t.Errorf("after it all a ping gives %s", answered)
	}
	c.stop(t)
	if out := output(exec.Command("ip", "-o", "addr", "show", "dev", "pre0", "up")); !strings.Contains(out, " 10.77.0.1/24 ") || !strings.Contains(out, " 2001:db8:77::1/64 ") {
		t.Errorf("the device should be as it was: %s", out)
	}

	// An allowed destination can be reached.
	c = start("--allow-dest", "198.51.100.0/24")
	w.seen()
	c.writeAll(t, kinds(t, addresses("10.77.0.2")[0], addresses("198.51.100.7")[0])[:3]) // the fourth has a hop outside
	if n := len(marked(w.seen(), "pre0")); n == 0 {
		t.Error("no packet that --allow-dest allows was seen")
	}
}
