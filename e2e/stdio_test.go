package e2e

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
)

// connect returns a client of c's control socket.
func (c *client) connect() *control.Client {
	c.t.Helper()
	return sessionIn(c.t.(*testing.T), c.runtime)
}

// sessionsIn returns a client of each session in a runtime folder. The test's own
// environment stays as it is, so tests can run in parallel.
func sessionsIn(t *testing.T, runtime string) []*control.Client {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(runtime, "tun-mcp", "*.sock"))
	if err != nil {
		t.Fatal(err)
	}
	var all []*control.Client
	for _, path := range paths {
		all = append(all, control.At(path))
	}
	return all
}

// sessionIn returns a client of the one session in a runtime folder.
func sessionIn(t *testing.T, runtime string) *control.Client {
	t.Helper()
	all := sessionsIn(t, runtime)
	if len(all) != 1 {
		t.Fatalf("%d sessions in %s, want 1", len(all), runtime)
	}
	return all[0]
}

// inject queues a packet as if from the peer.
func (c *client) inject(s *control.Client, data []byte) int {
	c.t.Helper()
	number, err := s.Inject(c.t.Context(), data)
	if err != nil {
		c.t.Fatal(err)
	}
	return number
}

func TestTwoReadersGetEachPacketOnce(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra, "--queue", "512")
	givenOnce(t, c, 2, 400, func(arguments string) (string, error) {
		text, failed := c.tool("read_packet", arguments)
		if failed {
			return "", errors.New(text)
		}
		return text, nil
	})
}

// givenOnce reads with many readers at the same time until all packets have come, and
// checks that each went to one reader.
func givenOnce(t *testing.T, c *client, readers, packets int, read func(arguments string) (string, error)) {
	t.Helper()
	s := c.connect()
	var mu sync.Mutex
	given := map[string]int{}
	var reading sync.WaitGroup
	for range readers {
		reading.Go(func() {
			for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
				text, err := read(`{"timeout_ms": 200, "max_packets": 5, "settle_ms": 1, "max_bytes": 20}`)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if strings.HasPrefix(text, "no packet") && len(given) == packets {
					mu.Unlock()
					return
				}
				for line := range strings.Lines(text) {
					if strings.HasPrefix(line, "#") {
						given[strings.Fields(line)[0]]++
					}
				}
				mu.Unlock()
			}
		})
	}
	for i := range packets {
		c.inject(s, request(uint16(i)))
	}
	reading.Wait()
	for number, times := range given {
		if times != 1 {
			t.Errorf("packet %s was read %d times", number, times)
		}
	}
	if len(given) != packets {
		t.Errorf("%d of %d packets were read", len(given), packets)
	}
}

// request returns a ping's echo request with that sequence number and a right checksum.
func request(seq uint16) []byte {
	b, _ := hex.DecodeString("4500001c000040004001266e0a4d00010a4d00020800000000010000")
	binary.BigEndian.PutUint16(b[26:], seq)
	sum := uint32(0x0800) + 1 + uint32(seq)
	binary.BigEndian.PutUint16(b[22:], ^uint16(sum+sum>>16))
	return b
}

func TestCancelledReadLosesNothing(t *testing.T) {
	t.Parallel()
	bothEras(t, func(t *testing.T, era string) {
		c := startServer(t, era)
		s := c.connect()
		for i := range 20 {
			id, waiting := c.begin("tools/call", toolCall("read_packet", `{"timeout_ms": 60000, "settle_ms": 2000, "max_packets": 64}`))
			if i%2 == 0 { // every other read is cancelled while it settles
				c.inject(s, request(uint16(i)))
			}
			c.cancel(id)
			if i%2 == 1 {
				c.inject(s, request(uint16(i)))
			}
			_ = waiting // it may be answered or not
		}
		want, got := 20, 0
		for got < want {
			text, _ := c.tool("read_packet", `{"timeout_ms": 5000, "max_packets": 64, "settle_ms": 0, "max_bytes": 20}`)
			n := strings.Count("\n"+text, "\n#")
			if n == 0 {
				t.Fatalf("%d of %d packets were read; then: %s", got, want, text)
			}
			got += n
		}
	})
}

func TestBlockedReadsHoldNoWriteUp(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra)
	for range 50 {
		c.begin("tools/call", toolCall("read_packet", `{"timeout_ms": 60000}`))
	}
	text, failed := c.tool("write_packet", fmt.Sprintf(`{"packets": [{"hex": "%x"}], "assist": "none"}`, request(1)))
	if failed || !strings.HasPrefix(text, "#1 28 bytes written") {
		t.Errorf("got %q", text)
	}
}

// Whatever a packet holds, the server's stdout has only JSON-RPC: no forgotten Println
// of a dependency, no panic of a decoder.
func TestStdoutStaysPure(t *testing.T) {
	t.Parallel()
	c := startServer(t, legacyEra, "--queue", "4096")
	s := c.connect()
	noise := rand.New(rand.NewPCG(1, 2))
	gtp, err := hex.DecodeString(strings.ReplaceAll(gtpPacket, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	c.inject(s, gtp)
	ports := 0
	for port := 0; port < 65536; port += 64 {
		// One call writes 64 datagrams, each to another port, with random bytes that
		// are enough for any header.
		var all []string
		for p := port; p < port+64; p++ {
			b := make([]byte, 28+noise.IntN(60))
			for i := range b {
				b[i] = byte(noise.Uint32())
			}
			copy(b, []byte{0x45, 0, 0, byte(len(b)), 0, 0, 0, 0, 64, 17 - byte(p%2)*11, 0, 0, 10, 77, 0, 2, 10, 77, 0, 1})
			binary.BigEndian.PutUint16(b[22:], uint16(p))
			all = append(all, fmt.Sprintf(`{"hex":"%x"}`, b))
			ports++
			if p%16 == 0 {
				c.inject(s, b)
			}
		}
		if text, failed := c.tool("write_packet", `{"packets":[`+strings.Join(all, ",")+`],"assist":"none"}`); failed {
			t.Fatal(text)
		}
	}
	for {
		text, _ := c.tool("read_packet", `{"timeout_ms": 0, "max_packets": 64}`)
		if strings.HasPrefix(text, "no packet") {
			break
		}
	}
	c.tool("hexdump", `{"hex": "`+hex.EncodeToString(gtp)+`"}`)
	c.wasPure()
	if ports != 65536 {
		t.Errorf("%d ports were tried", ports)
	}
}

// wasPure ends the server and checks that its stdout had only JSON-RPC.
func (c *client) wasPure() {
	c.t.Helper()
	c.stdin.Close()
	<-c.closed
	for _, line := range c.raw {
		var message struct{ JSONRPC string }
		if json.Unmarshal([]byte(line), &message) != nil || message.JSONRPC != "2.0" {
			c.t.Errorf("not JSON-RPC on stdout: %q", line)
		}
	}
}

// gtpPacket would make gopacket's GTPv1-U decoder print: UDP to port 2152, a GTP header
// with the extension flag, and an extension of length 0.
const gtpPacket = "45000030000000004011" + "00000a4d00010a4d0002" + "0868086800140000" + "34ff000400000001" + "00000085" + "00000000 00000000"

// Claude Code opens with server/discover and subscriptions/listen. A server that waited
// in the second would answer nothing after it.
func TestSubscriptionHoldsNothingUp(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra)
	c.begin("subscriptions/listen", map[string]any{"notifications": map[string]any{"toolsListChanged": true}})
	if got := c.request("tools/list", map[string]any{}); !strings.Contains(string(got), "read_packet") {
		t.Errorf("got %s", got)
	}
}

// Lines that are not requests are answered with the reason, and the conversation
// continues.
func TestGarbageOnStdin(t *testing.T) {
	t.Parallel()
	c := startServer(t, legacyEra)
	for _, line := range []string{
		"", "   ", "{", "null", "42", `"text"`, "[]", "\xff\xfe", `{"jsonrpc":"2.0"}`, `{"jsonrpc":"1.0","id":77,"method":"tools/list"}`,
		`{"jsonrpc":"2.0","id":78,"method":5}`, `{"jsonrpc":"2.0","id":79,"method":"no/such"}`, `{"jsonrpc":"2.0","id":80,"method":"tools/call","params":{"name":"no_such"}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":12345}}`,
		`{"jsonrpc":"2.0","id":81,"method":"tools/call","params":"` + strings.Repeat("x", 17<<20) + `"}`,
	} {
		c.mu.Lock()
		_, err := c.stdin.Write([]byte(line + "\n"))
		c.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
	}
	if text, failed := c.tool("read_packet", `{"timeout_ms": 0}`); failed || !strings.HasPrefix(text, "no packet") {
		t.Errorf("after all that: %q", text)
	}
	c.wasPure()
}
