package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// scripted is an agent without thinking time. It knows only what results say,
// and answers echo requests by the procedure of docs/answer-pings.md: swap,
// type 0, old checksum + 0x0800 with end-around carry.
type scripted struct {
	c        *client
	batch    int // packets a call
	answered int
	calls    int
	faults   []string
}

// The two forms in which read_packet shows a packet: in full, or as the difference from
// an earlier packet of the same result.
var (
	packetHead  = regexp.MustCompile(`^#(\d+) \d+ bytes, waited `)
	packetWords = regexp.MustCompile(`^16: ([0-9a-f]{4} ){2}([0-9a-f]{4}) ([0-9a-f]{4})`)
	packetLike  = regexp.MustCompile(`^#(\d+) waited .*as #(\d+)( but (.*))?$`)
	word22      = regexp.MustCompile(`(?:^| )22: ([0-9a-f]{4})`)
	word20      = regexp.MustCompile(`(?:^| )20: ([0-9a-f]{4})(?: ([0-9a-f]{4}))?`)
)

// run answers until a read brings nothing for 300 ms after the first packet.
func (s *scripted) run() {
	then := fmt.Sprintf(`{"timeout_ms":%%d,"max_packets":%d,"settle_ms":0,"max_bytes":32}`, s.batch)
	text, _ := s.call("read_packet", fmt.Sprintf(then, 20000))
	for {
		s.calls++
		replies := s.replies(text)
		if replies == "" {
			if strings.HasPrefix(text, "no packet") {
				return
			}
			s.faults = append(s.faults, text)
			return
		}
		var failed bool
		text, failed = s.call("write_packet", fmt.Sprintf(`{"packets":[%s],"then_read":%s}`, replies, fmt.Sprintf(then, 1000)))
		if failed {
			s.faults = append(s.faults, text)
			return
		}
		if i := strings.LastIndex(text, " written"); i >= 0 { // what was read comes after it
			_, text, _ = strings.Cut(text[i:], "\n")
		}
	}
}

// call calls a tool. If the server has ended, that is not a failure: some tests end it
// in the middle.
func (s *scripted) call(tool, arguments string) (text string, failed bool) {
	_, waiting := s.c.begin("tools/call", toolCall(tool, arguments))
	select {
	case a := <-waiting:
		return toolText(s.c.t, a.Result)
	case <-s.c.closed:
		return "the server has ended", true
	}
}

// replies are the elements of write_packet that answer the echo requests in a
// result: one for all of them.
func (s *scripted) replies(text string) string {
	type message struct{ kind, checksum string } // words of ICMP
	var number string
	var numbers, checksums []string
	seen := make(map[string]message)
	take := func(n string, m message) {
		seen[n] = m
		if m.kind != "0800" {
			return
		}
		var sum uint32
		fmt.Sscanf(m.checksum, "%x", &sum)
		if sum += 0x0800; sum > 0xffff {
			sum = sum - 0x10000 + 1
		}
		numbers, checksums = append(numbers, n), append(checksums, fmt.Sprintf(`"%04x"`, sum))
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := packetHead.FindStringSubmatch(line); m != nil {
			number = m[1]
		} else if m := packetWords.FindStringSubmatch(line); m != nil {
			take(number, message{m[2], m[3]})
		} else if m := packetLike.FindStringSubmatch(line); m != nil {
			other := seen[m[2]]
			if changed := word20.FindStringSubmatch(m[4]); changed != nil {
				if other.kind = changed[1]; changed[2] != "" {
					other.checksum = changed[2]
				}
			}
			if changed := word22.FindStringSubmatch(m[4]); changed != nil {
				other.checksum = changed[1]
			}
			take(m[1], other)
		}
	}
	s.answered += len(numbers)
	switch len(numbers) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(`{"reply_to":%s,"patch":{"12":"@16+4 @12+4","20":"00","22":%s}}`, numbers[0], checksums[0])
	}
	return fmt.Sprintf(`{"reply_to_each":[%s],"patch":{"12":"@16+4 @12+4","20":"00"},"patch_each":{"22":[%s]}}`, strings.Join(numbers, ","), strings.Join(checksums, ","))
}

// pingsWait waits until count packets are queued. ping waits for its last reply only
// twice as long as the slowest one took, so a slow first reply gives a busy machine
// more time.
func (c *client) pingsWait(count uint64) {
	c.t.Helper()
	s := c.connect()
	until(c.t.(*testing.T), "pings wait for the agent", func() bool {
		status, err := s.Status(c.t.Context())
		return err == nil && status.Counters.Queued >= count
	})
}
