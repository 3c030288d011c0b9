package docs_test

import (
	"encoding/json"
	"io/fs"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/docs"
	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// guides are the docs that an agent works by.
var guides = []string{"answer-pings.md", "play-host.md", "play-tcp.md", "play-ip6.md", "no-summary.md", "by-hand.md"}

// bare are the guides for a server that shows no summaries.
var bare = []string{"no-summary.md"}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := fs.ReadFile(docs.Files, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// bench is an agent's tools on a link with a fake device, on which the examples
// of a guide are played: what it shows as read is put into the queue under its
// number, what it shows as written is written, and both must look as shown.
type bench struct {
	t       *testing.T
	session *session.Session
	tools   map[string]tools.Tool
	last    int  // number of the last packet
	bare    bool // the guide shows what a server with assist none shows
}

// own are the agent's addresses in the guides.
var own = []netip.Addr{netip.MustParseAddr("10.77.0.2"), netip.MustParseAddr("2001:db8:77::2")}

func newBench(t *testing.T, guide string) *bench {
	s := session.New(tuntest.NewDevice(), session.Config{MTU: 1500})
	t.Cleanup(func() { s.Close() })
	h := &tools.Host{Session: s, Assist: tools.AssistFix, Own: own, Status: func() session.Status { return session.Status{} }}
	b := &bench{t: t, session: s, tools: map[string]tools.Tool{}, bare: slices.Contains(bare, guide)}
	for _, tool := range h.All() {
		b.tools[tool.Name] = tool
	}
	return b
}

var (
	fence     = regexp.MustCompile("(?ms)^```\n(.*?)^```$")
	arrived   = regexp.MustCompile(`^#(\d+) (\d+) bytes, waited [\d.]+ s(?:: (.*))?$`)
	alike     = regexp.MustCompile(`^#(\d+) waited [\d.]+ s: .*as #(\d+) but (.*)$`)
	written   = regexp.MustCompile(`^#(\d+).* (?:bytes|packets) written`)
	several   = regexp.MustCompile(`: (\d+) packets written`)
	waited    = regexp.MustCompile(`waited [\d.]+ s`)
	words     = regexp.MustCompile(`^\d+: ([0-9a-f ]+)$`)
	summaries = regexp.MustCompile(` written: .*`)
	took      = regexp.MustCompile(`, [\d.-]+ s after #`)
)

// TestExamples plays every fenced example of every guide with the real tools:
// a guide whose bytes, lengths, checksums or results are not right fails here.
func TestExamples(t *testing.T) {
	for _, name := range guides {
		t.Run(name, func(t *testing.T) {
			b, came, wrote := newBench(t, name), 0, 0
			for _, block := range fence.FindAllStringSubmatch(read(t, name), -1) {
				r, w := b.play(block[1])
				came, wrote = came+r, wrote+w
			}
			if came == 0 || wrote == 0 {
				t.Errorf("%d packets read and %d written in the examples, want some of both", came, wrote)
			}
		})
	}
}

// play plays one example and returns how many packets it reads and writes.
func (b *bench) play(block string) (read, wrote int) {
	b.t.Helper()
	for block != "" {
		line, rest, _ := strings.Cut(block, "\n")
		tool, arguments, isCall := strings.Cut(line, " {")
		switch shown := arrived.FindStringSubmatch(line); {
		case shown != nil:
			block = b.arrive(shown, rest)
			read++
		case alike.MatchString(line):
			b.arriveAlike(line)
			block = rest
			read++
		case isCall && tool == "write_packet":
			block = b.write(block)
			wrote++
		case isCall && tool == "then_read:":
			b.readWith(json.RawMessage("{" + arguments))
			block = rest
		default:
			b.t.Fatalf("this line of an example is neither a packet nor a call: %q", line)
		}
	}
	return read, wrote
}

// arrive queues a packet that a guide shows whole, and returns what follows it.
func (b *bench) arrive(shown []string, rest string) string {
	b.t.Helper()
	var text, listing strings.Builder
	for {
		line, after, _ := strings.Cut(rest, "\n")
		found := words.FindStringSubmatch(line)
		if found == nil {
			break
		}
		text.WriteString(found[1])
		listing.WriteString(line + "\n")
		rest = after
	}
	data, err := packet.ParseHex(text.String())
	if err != nil {
		b.t.Fatalf("%s: %v", shown[0], err)
	}
	if got := strconv.Itoa(len(data)); got != shown[2] {
		b.t.Errorf("%s\nhas %s bytes", shown[0], got)
	}
	if got := packet.Summary(data); !b.bare && got != shown[3] || b.bare && shown[3] != "" {
		b.t.Errorf("%s\nis %s", shown[0], got)
	}
	if got := packet.Words(data, len(data)); got != listing.String() {
		b.t.Errorf("%s\nis shown as\n%swant\n%s", shown[0], listing.String(), got)
	}
	b.upTo(shown[1])
	b.inject(data)
	return rest
}

// arriveAlike queues a packet that a guide shows by what it differs in from an
// earlier one, and holds the line against what read_packet says.
func (b *bench) arriveAlike(line string) {
	b.t.Helper()
	shown := alike.FindStringSubmatch(line)
	base, err := strconv.Atoi(shown[2])
	if err != nil {
		b.t.Fatal(err)
	}
	other, err := b.session.Packet(base)
	if err != nil {
		b.t.Fatalf("%s: %v", line, err)
	}
	pieces := make(map[string]string)
	key := ""
	for word := range strings.SplitSeq(shown[3], " ") {
		if offset, ok := strings.CutSuffix(word, ":"); ok {
			key = offset
			continue
		}
		pieces[key] += word
	}
	data, err := packet.Patch(other.Data, nil, pieces)
	if err != nil {
		b.t.Fatalf("%s: %v", line, err)
	}
	b.upTo(shown[1])
	b.inject(data)
	result, err := b.tools["read_packet"].Call(b.t.Context(), json.RawMessage(`{"timeout_ms": 0, "settle_ms": 0, "max_packets": 64}`))
	if plain := func(s string) string { return waited.ReplaceAllString(s, "waited") }; err != nil || !strings.Contains("\n"+plain(result), "\n"+plain(line)+"\n") {
		b.t.Errorf("%v: read_packet says\n%s\nthe guide shows\n%s", err, result, line)
	}
}

// upTo brings the link to where the next packet has a number.
func (b *bench) upTo(number string) {
	b.t.Helper()
	next, err := strconv.Atoi(number)
	if err != nil || next <= b.last {
		b.t.Fatalf("#%s comes after #%d: number the packets of a guide upwards", number, b.last)
	}
	for b.last < next-1 {
		b.inject([]byte{0x45})
	}
}

func (b *bench) inject(data []byte) {
	b.t.Helper()
	p, err := b.session.Inject(data)
	if err != nil {
		b.t.Fatal(err)
	}
	b.last = p.Number
}

// write makes the call at the head of block, compares what it says with what
// the guide shows below it, if anything, and returns what follows.
func (b *bench) write(block string) string {
	b.t.Helper()
	decoder := json.NewDecoder(strings.NewReader(strings.TrimPrefix(block, "write_packet ")))
	var call map[string]json.RawMessage
	if err := decoder.Decode(&call); err != nil {
		b.t.Fatalf("%v in the example\n%s", err, block)
	}
	rest := strings.TrimPrefix(block[len("write_packet ")+int(decoder.InputOffset()):], "\n")
	if then := call["then_read"]; then != nil {
		b.readWith(then) // by itself: nothing comes on this bench
		delete(call, "then_read")
	}
	var want []string
	for rest != "" {
		line, after, _ := strings.Cut(rest, "\n")
		if !written.MatchString(line) {
			break
		}
		want, rest = append(want, line), after
	}
	if len(want) > 0 {
		b.upTo(written.FindStringSubmatch(want[0])[1])
	}
	arguments, err := json.Marshal(call)
	if err != nil {
		b.t.Fatal(err)
	}
	result, err := b.tools["write_packet"].Call(b.t.Context(), arguments)
	if err != nil {
		b.t.Fatalf("%v\nfor %s", err, arguments)
	}
	lines := strings.Split(result, "\n")
	for _, line := range lines {
		n := 1
		if many := several.FindStringSubmatch(line); many != nil {
			n, _ = strconv.Atoi(many[1])
		}
		b.last += n
		if !took.MatchString(line) || !strings.Contains(line, "checksums ok") || strings.Contains(line, "its source is not yours") {
			b.t.Errorf("%s\nis no right answer: %s", arguments, line)
		}
	}
	plain := func(text string) string {
		if b.bare { // without what a summary adds
			text = summaries.ReplaceAllString(text, " written")
		}
		return took.ReplaceAllString(text, " after #")
	}
	if shown := strings.Join(want, "\n"); len(want) > 0 && plain(result) != plain(shown) {
		b.t.Errorf("the tool says\n%s\nthe guide shows\n%s", result, shown)
	}
	return rest
}

// readWith calls read_packet with a guide's arguments, but does not wait.
func (b *bench) readWith(arguments json.RawMessage) {
	b.t.Helper()
	var given map[string]any
	if err := json.Unmarshal(arguments, &given); err != nil {
		b.t.Fatalf("%v in %s", err, arguments)
	}
	given["timeout_ms"] = 0
	now, err := json.Marshal(given)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.tools["read_packet"].Call(b.t.Context(), now); err != nil {
		b.t.Errorf("%v\nfor %s", err, arguments)
	}
}

// TestExamplesThatLie makes sure that a wrong byte in an example is found.
func TestExamplesThatLie(t *testing.T) {
	guide := read(t, "answer-pings.md")
	for _, block := range fence.FindAllStringSubmatch(guide, -1) {
		if lie := strings.Replace(block[1], `"22": ["51aa"`, `"22": ["51ab"`, 1); lie != block[1] {
			b := newBench(t, "answer-pings.md")
			b.play(fence.FindStringSubmatch(guide)[1])
			var call map[string]json.RawMessage
			if err := json.NewDecoder(strings.NewReader(strings.TrimPrefix(lie, "write_packet "))).Decode(&call); err != nil {
				t.Fatal(err)
			}
			delete(call, "then_read")
			arguments, _ := json.Marshal(call) // was decoded from JSON
			result, err := b.tools["write_packet"].Call(t.Context(), arguments)
			if err != nil || !strings.Contains(result, "packet 1 (reply to #7): ICMP checksum is 0x51ab, should be 0x51aa") {
				t.Errorf("the lie was taken: %v\n%s", err, result)
			}
			return
		}
	}
	t.Error("the example with the checksum 51aa is gone")
}
