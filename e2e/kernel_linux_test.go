package e2e

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// sinkRole makes this test binary a sink: a program on the peer with real sockets that
// prints what they receive. Its value is "udp" or "tcp".
const sinkRole = "TUN_MCP_TEST_SINK"

// sinkPort is the port of a sink, on every address of the peer.
const sinkPort = 7777

// sink prints that it is ready, then the first data that it receives, and ends.
func sink(network string) error {
	buffer := make([]byte, 2000)
	address := fmt.Sprintf(":%d", sinkPort)
	if network == "udp" {
		socket, err := net.ListenPacket("udp", address)
		if err != nil {
			return err
		}
		fmt.Println("ready")
		n, _, err := socket.ReadFrom(buffer)
		fmt.Printf("%s\n", buffer[:n])
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	n, err := conn.Read(buffer)
	fmt.Printf("%s\n", buffer[:n])
	return err
}

func init() {
	if network := os.Getenv(sinkRole); network != "" {
		if err := sink(network); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// startSink starts a sink on the peer and returns a function that reads its next line.
func (c *client) startSink(t *testing.T, network string) func() string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := c.command("exec", "--", self)
	cmd.Env = append(cmd.Env, sinkRole+"="+network)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewScanner(stdout)
	next := func() string { lines.Scan(); return lines.Text() }
	if line := next(); line != "ready" {
		t.Fatalf("the sink said %q", line)
	}
	return next
}

// The headers of IPv4 and IPv6 up to the transport, with empty lengths.
const (
	header4 = "45000000 00004000 40%s 0000 0a4d0002 0a4d0001 "
	header6 = "60000000 0000%s40 20010db8007700000000000000000002 20010db8007700000000000000000001 "
)

// The kernel's own stack judges the packets of write_packet: it accepts those made with
// fix, and rejects a wrong checksum that none lets through.
func TestKernelJudges(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	families := []struct{ name, icmp, echo, answer, udp, tcp string }{
		{"IPv4", fmt.Sprintf(header4, "01"), "0800", "ICMP echo reply id 7 seq 1, checksums ok", fmt.Sprintf(header4, "11"), fmt.Sprintf(header4, "06")},
		{"IPv6", fmt.Sprintf(header6, "3a"), "8000", "ICMPv6 echo reply id 7 seq 1, checksums ok", fmt.Sprintf(header6, "11"), fmt.Sprintf(header6, "06")},
	}
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			c := startServer(t, modernEra, "--network", "private", "--addr6", "2001:db8:77::1/64")
			t.Run("ICMP", func(t *testing.T) {
				request := f.icmp + f.echo + "1111 00070001"
				if text := c.write(t, damaged(t, request, 2), "none"); !strings.Contains(text, "no packet in") {
					t.Errorf("a wrong checksum was answered: %s", text)
				}
				if text := c.write(t, request, "fix"); !strings.Contains(text, f.answer) {
					t.Errorf("want %q in the answer: %s", f.answer, text)
				}
			})
			t.Run("UDP", func(t *testing.T) {
				got := c.startSink(t, "udp")
				c.write(t, damaged(t, f.udp+fmt.Sprintf("3039%04x 0000 0000 ", sinkPort)+hex.EncodeToString([]byte("bad")), 6), "none")
				c.write(t, f.udp+fmt.Sprintf("3039%04x 0000 1111 ", sinkPort)+hex.EncodeToString([]byte("good")), "fix")
				if line := got(); line != "good" {
					t.Errorf("the socket got %q first", line)
				}
			})
			t.Run("TCP", func(t *testing.T) {
				got := c.startSink(t, "tcp")
				segment := func(seq, ack, flags string) string {
					return f.tcp + fmt.Sprintf("3039%04x %s %s 50%s ffff 1111 0000 ", sinkPort, seq, ack, flags)
				}
				if text := c.write(t, damaged(t, segment("00000001", "00000000", "02"), 16), "none"); !strings.Contains(text, "no packet in") {
					t.Errorf("a SYN with a wrong checksum was answered: %s", text)
				}
				text := c.write(t, segment("00000001", "00000000", "02"), "fix")
				m := regexp.MustCompile(`TCP SYN ACK seq 0x([0-9a-f]{8}) ack 0x00000002 `).FindStringSubmatch(text)
				if m == nil {
					t.Fatalf("no SYN ACK: %s", text)
				}
				var sequence uint32
				fmt.Sscanf(m[1], "%x", &sequence)
				c.write(t, segment("00000002", fmt.Sprintf("%08x", sequence+1), "18")+hex.EncodeToString([]byte("hello")), "fix")
				if line := got(); line != "hello" {
					t.Errorf("the socket got %q", line)
				}
			})
		})
	}
}

// write writes one packet and keeps reading for a moment.
func (c *client) write(t *testing.T, packet, assist string) string {
	t.Helper()
	text, failed := c.tool("write_packet", fmt.Sprintf(`{"packets": [{"hex": %q}], "assist": %q, "then_read": {"timeout_ms": 300}}`, packet, assist))
	if failed {
		t.Fatal(text)
	}
	return text
}

// damaged returns the packet with one bit of its transport checksum flipped. at is the
// offset of the checksum in the transport header.
func damaged(t *testing.T, text string, at int) string {
	t.Helper()
	data, err := packet.ParseHex(text)
	if err == nil {
		data, err = packet.Fix(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	header := 20
	if data[0]>>4 == 6 {
		header = 40
	}
	data[header+at] ^= 1
	if faults := packet.Check(data); len(faults) != 1 || faults[0].Field != "checksum" {
		t.Fatalf("the checksum alone should be wrong: %v", faults)
	}
	return hex.EncodeToString(data)
}
