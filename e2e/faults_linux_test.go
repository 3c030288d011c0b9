package e2e

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// startPrivate starts a server with a private network and waits until programs can
// enter it.
func startPrivate(t *testing.T, args ...string) *client {
	t.Helper()
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "nsenter")
	tuntest.RequireProgram(t, "ip")
	return startServer(t, modernEra, append([]string{"--network", "private"}, args...)...)
}

// onPeer runs a program on the peer.
func (c *client) onPeer(args ...string) {
	c.t.Helper()
	if out, err := c.command(append([]string{"exec", "--"}, args...)...).CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %v %s", args, err, out)
	}
}

// waitingRead begins a read and returns once it waits for a packet.
func (c *client) waitingRead() <-chan answer {
	c.t.Helper()
	_, waiting := c.begin("tools/call", toolCall("read_packet", `{"timeout_ms": 90000}`))
	until(c.t.(*testing.T), "the read waits", func() bool { return c.status().Readers == 1 })
	return waiting
}

// endsClean closes the server's stdin and checks that it ends in order.
func (c *client) endsClean() {
	c.t.Helper()
	c.stdin.Close()
	<-c.closed
	if err := c.process.Wait(); err != nil {
		c.t.Errorf("the server's exit: %v; stderr:\n%s", err, c.errors())
	}
}

// echoHex returns an echo request of length bytes from the agent to the peer.
func echoHex(t *testing.T, length int) string {
	t.Helper()
	b := make([]byte, length)
	copy(b, []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 1, 0, 0, 10, 77, 0, 2, 10, 77, 0, 1, 8, 0, 0, 0, 7, 7})
	b, err := packet.Fix(b)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", b)
}

// linkEnded checks what agent and user see after a link has ended: in the waiting read,
// every later call, and the status. The server runs until its client ends it.
func (c *client) linkEnded(waiting <-chan answer, why string) {
	c.t.Helper()
	text, failed := toolText(c.t, c.wait("the read", waiting).Result)
	if !failed || !strings.Contains(text, why) || !strings.Contains(text, "restart this MCP server") {
		c.t.Errorf("the waiting read: %s", text)
	}
	for tool, arguments := range map[string]string{
		"read_packet":  `{"timeout_ms": 90000}`,
		"write_packet": `{"packets": [{"hex": "` + echoHex(c.t.(*testing.T), 84) + `"}]}`,
	} {
		if text, failed := c.tool(tool, arguments); !failed || !strings.Contains(text, why) {
			c.t.Errorf("%s: %s", tool, text)
		}
	}
	if s := c.status(); s.Link != "gone" || !strings.Contains(s.State, why) {
		c.t.Errorf("the status: link %q, state %q", s.Link, s.State)
	}
	out, err := c.command("ping").CombinedOutput()
	if err == nil || !strings.Contains(string(out), why) || strings.Count(string(out), "start the server again") != 1 {
		c.t.Errorf("ping: %v %s", err, out)
	}
	if said := c.errors(); !strings.Contains(said, "the link has ended") || !strings.Contains(said, why) {
		c.t.Errorf("stderr: %s", said)
	}
	c.endsClean()
}

func TestDeviceDeletedUnderWay(t *testing.T) {
	t.Parallel()
	c := startPrivate(t)
	waiting := c.waitingRead()
	c.onPeer("ip", "link", "del", "tun0")
	c.linkEnded(waiting, "the device was deleted; start the server again")
}

func TestHolderKilledUnderWay(t *testing.T) {
	t.Parallel()
	c := startPrivate(t)
	waiting, holder := c.waitingRead(), c.status().Holder
	tuntest.Signal(t, holder, syscall.SIGKILL)
	c.linkEnded(waiting, fmt.Sprintf("the holder of the private network (process %d) ended; start the server again", holder))
}

// A link that was set down works again once somebody sets it up. Nothing ends.
func TestLinkSetDownUnderWay(t *testing.T) {
	t.Parallel()
	c := startPrivate(t)
	waiting := c.waitingRead()
	c.onPeer("ip", "link", "set", "tun0", "down")
	text, failed := c.tool("write_packet", `{"packets": [{"hex": "`+echoHex(t, 84)+`"}]}`)
	if !failed || !strings.Contains(text, "the link is down") || !strings.Contains(text, "tun-mcp exec -- ip link set tun0 up") {
		t.Errorf("a write to a link that is down: %s", text)
	}
	if text, failed := c.tool("read_packet", `{"timeout_ms": 0}`); failed || !strings.Contains(text, "(tun0 down, ") {
		t.Errorf("a read from a link that is down: %s", text)
	}
	c.onPeer("ip", "link", "set", "tun0", "up")
	if text, failed := c.tool("write_packet", `{"packets": [{"hex": "`+echoHex(t, 84)+`"}]}`); failed {
		t.Errorf("a write to a link that is up again: %s", text)
	}
	text, failed = toolText(t, c.wait("the read", waiting).Result)
	if failed || !strings.Contains(text, "ICMP echo reply") {
		t.Errorf("the waiting read: %s", text)
	}
}

// The device's current MTU counts: longer packets are refused, and packets that have
// become short enough cross. (Below 1,280 bytes the kernel forgets that IPv6 must be
// quiet on this link, RFC 8200 section 5; the test leaves that out.)
func TestMTUChangedUnderWay(t *testing.T) {
	t.Parallel()
	c := startPrivate(t)
	write := func(length int) (string, bool) {
		return c.tool("write_packet", `{"packets": [{"hex": "`+echoHex(t, length)+`"}], "then_read": {"timeout_ms": 20000, "max_packets": 1, "max_bytes": 20}}`)
	}
	for _, mtu := range []int{1400, 9000, 1300} {
		c.onPeer("ip", "link", "set", "tun0", "mtu", fmt.Sprint(mtu))
		if got := c.status().MTU; got != mtu {
			t.Errorf("the status says %d, the MTU is %d", got, mtu)
		}
		want := fmt.Sprintf("%d bytes are over the link's MTU of %d", mtu+1, mtu)
		if text, failed := write(mtu + 1); !failed || !strings.Contains(text, want) {
			t.Errorf("got %s, want %s", text, want)
		}
		want = fmt.Sprintf(" %d bytes, waited ", mtu)
		if text, failed := write(mtu); failed || !strings.Contains(text, want) || !strings.Contains(text, "ICMP echo reply") {
			t.Errorf("at an MTU of %d a packet of %d bytes brought no answer: %s", mtu, mtu, text)
		}
	}
}

// A stopped holder blocks nothing: packets cross, programs enter its namespaces, and
// the server ends it.
func TestHolderStoppedUnderWay(t *testing.T) {
	t.Parallel()
	tuntest.RequireProgram(t, "ping")
	c := startPrivate(t)
	holder := c.status().Holder
	tuntest.Signal(t, holder, syscall.SIGSTOP)
	until(t, "the holder stops", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", holder))
		return err == nil && strings.Contains(string(stat), ") T ")
	})
	ping := make(chan error, 1)
	command := c.command("exec", "--", "ping", "-c1", "-W60", "10.77.0.2")
	go func() { ping <- command.Run() }()
	agent := &scripted{c: c, batch: 1}
	agent.run()
	if err := <-ping; err != nil {
		t.Errorf("ping: %v; agent %q", err, agent.faults)
	}
	if s := c.status(); s.Link != "up" || s.MTU != 1500 {
		t.Errorf("the status: link %q, MTU %d", s.Link, s.MTU)
	}
	ended := tuntest.Watch(t, holder)
	c.endsClean()
	ended()
}
