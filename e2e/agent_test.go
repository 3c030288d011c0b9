package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
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

var packetHead = regexp.MustCompile(`(?m)^#(\d+) \d+ bytes, waited .*\n0: ([0-9a-f ]+)\n16: ([0-9a-f ]+)$`)

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
		text = text[strings.LastIndex(text, " written: ")+1:]
		if _, after, ok := strings.Cut(text, "\n"); ok {
			text = after
		}
	}
}

// call calls a tool. A server that has ended is no fault of the agent's: some
// tests end it in the middle.
func (s *scripted) call(tool, arguments string) (text string, failed bool) {
	_, waiting := s.c.begin("tools/call", toolCall(tool, arguments))
	select {
	case a := <-waiting:
		return toolText(s.c.t, a.Result)
	case <-s.c.closed:
		return "the server has ended", true
	}
}

func (s *scripted) replies(text string) string {
	var all []string
	for _, m := range packetHead.FindAllStringSubmatch(text, -1) {
		first, second := strings.Fields(m[2]), strings.Fields(m[3])
		if second[2] != "0800" {
			continue
		}
		var sum uint32
		fmt.Sscanf(second[3], "%x", &sum)
		if sum += 0x0800; sum > 0xffff {
			sum = sum - 0x10000 + 1
		}
		patch, _ := json.Marshal(map[string]string{
			"12": second[0] + second[1] + first[6] + first[7],
			"20": "00",
			"22": fmt.Sprintf("%04x", sum),
		})
		all = append(all, fmt.Sprintf(`{"reply_to":%s,"patch":%s}`, m[1], patch))
	}
	s.answered += len(all)
	return strings.Join(all, ",")
}
