package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// flooderRole makes this test binary a program on the peer that sends the agent
// datagrams as fast as it can, for the duration in its value and until its stdin ends.
// Then it prints how many the kernel accepted.
const flooderRole = "TUN_MCP_TEST_FLOODER"

func init() {
	if text := os.Getenv(flooderRole); text != "" {
		length, err := time.ParseDuration(text)
		if err == nil {
			err = sendFlood(length)
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// sendFlood sends with all processors for length and until stdin ends.
func sendFlood(length time.Duration) error {
	var taken atomic.Uint64
	var told atomic.Bool // whether stdin has ended
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		told.Store(true)
	}()
	ended := make(chan error)
	deadline := time.Now().Add(length)
	for range runtime.NumCPU() {
		go func() {
			conn, err := net.Dial("udp", "10.77.0.2:9")
			if err != nil {
				ended <- err
				return
			}
			payload := []byte("flood")
			var mine uint64
			for i := 0; i%256 != 0 || !told.Load() || time.Now().Before(deadline); i++ {
				if _, err = conn.Write(payload); err == nil {
					mine++
				} else {
					break
				}
			}
			taken.Add(mine)
			ended <- err
		}()
	}
	var err error
	for range runtime.NumCPU() {
		err = errors.Join(err, <-ended)
	}
	fmt.Println(taken.Load())
	return err
}

// startFlooder makes the peer of c flood the agent for length and until told ends, which
// may be nil. The channel gets the flooder's output, the number of packets sent.
func startFlooder(t *testing.T, c *client, length time.Duration, told io.Reader) <-chan string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	flooder := c.command("exec", "--", self)
	flooder.Env = append(flooder.Env, flooderRole+"="+length.String())
	flooder.Stdin = told
	sent := make(chan string, 1)
	go func() { sent <- output(flooder) }()
	return sent
}

// TestFloodFromThePeer makes the peer send faster than anybody can read, to an agent
// that reads one packet every 2 s. TUN_MCP_LONG=60s makes it long.
func TestFloodFromThePeer(t *testing.T) {
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "nsenter")
	length := tuntest.Length(t, time.Second, 5*time.Second)
	c := startServer(t, modernEra, "--network", "private")
	s := c.connect()
	before := vitals(t, s)
	t.Logf("before: %v", before)

	sent := startFlooder(t, c, length, nil)

	// The slow reader, and a check of the server between its reads.
	tick := time.NewTicker(min(2*time.Second, length/5))
	defer tick.Stop()
	most, reads, printed := before.resident, 0, ""
	for printed == "" {
		select {
		case printed = <-sent:
		case <-tick.C:
			now := vitals(t, s)
			most = max(most, now.resident)
			if now.Counters.Received == 0 {
				continue // the flooder has not started
			}
			// Nothing is written, so a packet's number is one more than the number of
			// packets before it.
			number := c.readOne(t)
			if oldest := int(now.Counters.Received) - session.DefaultQueue + 1; number < oldest {
				t.Errorf("the agent read #%d after #%d had come, want none older than #%d", number, now.Counters.Received, oldest)
			}
			reads++
		}
	}
	want, err := strconv.ParseUint(strings.TrimSpace(printed), 10, 64)
	if err != nil {
		t.Fatalf("the flooder printed %q", printed)
	}

	// Packets on their way arrive. Then every packet is accounted for.
	after := when(t, s, func(v vital) bool { return v.Counters.Received+device(t, v).dropped == want })
	d := device(t, after)
	t.Logf("after: %v", after)
	t.Logf("%v at %.0f packets/s: sent %d = received %d + dropped by the device %d; %d slow reads; most resident %.1f MiB",
		length, float64(want)/length.Seconds(), want, after.Counters.Received, d.dropped, reads, float64(max(most, after.resident))/(1<<20))
	if d.taken != after.Counters.Received {
		t.Errorf("the device sent %d packets, the server received %d", d.taken, after.Counters.Received)
	}
	if most = max(most, after.resident); most > before.resident+maxGrowth {
		t.Errorf("resident memory grew from %d to %d bytes", before.resident, most)
	}
	// The flooder takes a moment to end, so reads in that time meet no new packet.
	queued := int(after.Counters.Queued)
	if queued+reads < session.DefaultQueue || after.Counters.Dropped == 0 || after.Counters.Delivered != uint64(reads) {
		t.Errorf("%d reads, and %v: each read should take one packet, and the queue should be full except for the last one taken", reads, after)
	}

	// The queue has the newest packets, up to the very last.
	last := c.inject(s, request(1))
	next := last - min(queued+1, session.DefaultQueue) + 1
	for next <= last {
		text, failed := c.tool("read_packet", `{"timeout_ms": 0, "max_packets": 64, "max_bytes": 20}`)
		numbers := numbered(text)
		if failed || len(numbers) == 0 {
			t.Fatalf("want #%d to #%d, got %s", next, last, text)
		}
		for _, number := range numbers {
			if number != next {
				t.Fatalf("read #%d, want #%d", number, next)
			}
			next++
		}
	}
}

// output runs a program and returns its output, and the reason if it failed.
func output(cmd *exec.Cmd) string {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s (%v)", out, err)
	}
	return string(out)
}

// readOne reads one packet and returns its number.
func (c *client) readOne(t *testing.T) int {
	t.Helper()
	text, failed := c.tool("read_packet", `{"timeout_ms": 30000, "max_packets": 1, "settle_ms": 0, "max_bytes": 20}`)
	numbers := numbered(text)
	if failed || len(numbers) != 1 {
		t.Fatalf("want one packet, got %s", text)
	}
	return numbers[0]
}

var numberOfRead = regexp.MustCompile(`(?m)^#(\d+) (?:\d+ bytes, )?waited `)

// numbered returns the packet numbers in a result.
func numbered(text string) []int {
	var all []int
	for _, m := range numberOfRead.FindAllStringSubmatch(text, -1) {
		number, _ := strconv.Atoi(m[1])
		all = append(all, number)
	}
	return all
}

// deviceCounts are the kernel's counters of a TUN device, from the peer's side.
type deviceCounts struct {
	given   uint64 // received by the peer
	taken   uint64 // sent by the peer and read by the server
	dropped uint64 // sent by the peer while the device's own queue was full
}

// device reads the counters of a private link's device from outside.
func device(t *testing.T, v vital) deviceCounts {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", v.Holder))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, counts, _ := strings.Cut(strings.TrimSpace(line), ":")
		if fields := strings.Fields(counts); name == v.Device && len(fields) == 16 {
			var d deviceCounts
			var bad [3]error
			d.given, bad[2] = strconv.ParseUint(fields[1], 10, 64)    // receive: bytes, packets
			d.taken, bad[0] = strconv.ParseUint(fields[9], 10, 64)    // transmit: bytes, packets,
			d.dropped, bad[1] = strconv.ParseUint(fields[11], 10, 64) // errs, drop
			if err := errors.Join(bad[:]...); err != nil {
				t.Fatal(err)
			}
			return d
		}
	}
	t.Fatalf("no device %s in\n%s", v.Device, text)
	return deviceCounts{}
}
