package e2e

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/tun-mcp/tun-mcp/packet"
)

// Many requests in flight at once over one stdio: readers, half of whom cancel, and
// writers whose pings the peer answers. Every answer goes to one reader, and none is
// lost.
func TestCrowdOnStdio(t *testing.T) {
	t.Parallel()
	const crowd, rounds, each = 64, 8, 4 // writers, calls of each, pings a call
	const pings = crowd * rounds * each
	c := startServer(t, modernEra, "--network", "memory", "--queue", "4096", "--assist", "none")

	var mu sync.Mutex
	seen := map[string]int{} // answers by identifier and sequence number
	total := 0
	all := make(chan struct{}) // closed when every ping's answer was read
	take := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		for _, m := range echoReply.FindAllString(text, -1) {
			seen[m]++
			if total++; total == pings {
				close(all)
			}
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	var readers sync.WaitGroup
	for i := range crowd {
		readers.Go(func() {
			for {
				select {
				case <-all:
					return
				case <-ctx.Done():
					return // the count below shows it
				default:
				}
				id, waiting := c.begin("tools/call", toolCall("read_packet", fmt.Sprintf(`{"timeout_ms": 200, "settle_ms": %d, "max_packets": %d, "max_bytes": 28}`, i%4, 1+i)))
				if i%2 == 1 {
					text, failed := toolText(t, c.wait("read_packet", waiting).Result)
					if failed {
						t.Errorf("a read gave %s", text)
						return
					}
					take(text)
					continue
				}
				c.cancel(id)
				// An answer means that the read was faster than the cancellation.
				readers.Go(func() {
					select {
					case a := <-waiting:
						text, _ := toolText(t, a.Result)
						take(text)
					case <-all:
					case <-ctx.Done():
					}
				})
				c.request("resources/list", map[string]any{}) // no faster than the server answers
			}
		})
	}
	var writers sync.WaitGroup
	for i := range crowd {
		writers.Go(func() {
			for j := range rounds {
				var packets []string
				for k := range each {
					ping, err := packet.ParseHex(fmt.Sprintf("4500001c000000004001 0000 0a4d0002 0a4d0001 0800 0000 %04x %04x", i+1, j*each+k))
					if err == nil {
						ping, err = packet.Fix(ping)
					}
					if err != nil {
						t.Error(err)
					}
					packets = append(packets, fmt.Sprintf(`{"hex": "%x"}`, ping))
				}
				_, waiting := c.begin("tools/call", toolCall("write_packet", `{"packets": [`+strings.Join(packets, ",")+`]}`))
				text, failed := toolText(t, c.wait("write_packet", waiting).Result)
				// One line, unless another writer came between.
				if sent := strings.Count(text, " bytes written\n"); failed || sent == 0 && !strings.Contains(text, " packets written, 28 bytes each") {
					t.Errorf("not written: %s", text)
				}
			}
		})
	}
	writers.Wait()
	readers.Wait()
	if t.Failed() {
		return
	}
	if len(seen) != pings || total != pings {
		t.Errorf("%d answers, %d different ones, want %d", total, len(seen), pings)
	}
	text := string(c.request("resources/read", map[string]any{"uri": "tun://status"}))
	for _, want := range []string{"received", "delivered", "written"} {
		if !strings.Contains(text, fmt.Sprintf(`\"%s\": %d,`, want, pings)) {
			t.Errorf("want %s %d in %s", want, pings, text)
		}
	}
	for _, want := range []string{"queued", "dropped", "failed", "refused"} {
		if !strings.Contains(text, fmt.Sprintf(`\"%s\": 0,`, want)) {
			t.Errorf("want %s 0 in %s", want, text)
		}
	}
}

// echoReply finds identifier and sequence number of an echo reply.
var echoReply = regexp.MustCompile(`(?m)^16: 0a4d 0002 0000 [0-9a-f]{4} [0-9a-f]{4} [0-9a-f]{4}$`)

// Writes beyond --max-pps are refused, with the flag's name, and counted.
func TestMaxPPS(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra, "--network", "memory", "--max-pps", "1")
	one := fmt.Sprintf(`{"hex": "%x"}`, request(1))
	text, _ := c.tool("write_packet", `{"assist": "none", "packets": [`+strings.TrimSuffix(strings.Repeat(one+",", 64), ",")+`]}`)
	for _, want := range []string{"#1 28 bytes written\n", ": over the rate limit of 1 packets a second: write it again in ", "the user can raise the limit with --max-pps N (0 means no limit)", "not sent either, over the rate limit"} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in %s", want, text)
		}
	}
	status := string(c.request("resources/read", map[string]any{"uri": "tun://status"}))
	written := strings.Count(text, " bytes written")
	for _, want := range []string{
		`\"max_pps\": 1,`,
		fmt.Sprintf(`\"written\": %d,`, written),
		fmt.Sprintf(`\"refused\": %d,`, 64-written),
		fmt.Sprintf(`\"too_fast\": %d\n`, 64-written),
	} {
		if !strings.Contains(status, want) {
			t.Errorf("want %s in %s", want, status)
		}
	}
	out, err := c.command("--max-pps", "-1").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--max-pps -1: accepted is a number of packets a second, or 0 for no limit") {
		t.Errorf("--max-pps -1: %v, %s", err, out)
	}
}
