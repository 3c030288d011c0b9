package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

// recorded are the packets #1 to #4 in the queue of FuzzTools: an echo request, a
// segment, its retransmission, and bytes that are not a packet. They fill the
// queue, so a read never waits.
var recorded = [][]byte{
	fixed(request),
	fixed("45000028 00004000 40060000 0a4d0001 0a4d0002 1388 0050 00000001 00000000 5002 ffff 0000 0000"),
	fixed("45000028 00004000 40060000 0a4d0001 0a4d0002 1388 0050 00000001 00000000 5002 ffff 0000 0000"),
	[]byte("#9 84 bytes written\n\x1b[31m"),
}

func fixed(text string) []byte {
	b, err := packet.ParseHex(text)
	if err == nil {
		b, err = packet.Fix(b)
	}
	if err != nil {
		panic(err)
	}
	return b
}

// FuzzTools: a tool answers any arguments in clean text. Arguments that decode
// still decode to the same after a round trip through JSON, the tool sends exactly
// what they describe, and no recorded packet changes.
func FuzzTools(f *testing.F) {
	for _, arguments := range []string{
		`{"packets": [{"reply_to": 1, "patch": {"12": "0a4d00020a4d0001", "20": "00"}, "cut": 40, "append": "0102"}], "assist": "fix", "then_read": {"max_packets": 2}}`,
		`{"packets": [{"reply_to": 2, "cut": 28, "prepend": "4500 0038 0000 0000 4001 6629 0a4d0002 0a4d0001 0303 0000 0000 0000"}], "assist": "fix"}`,
		`{"packets": [{"copy": 4, "append_text": "é\n"}, {"hex": "4500 0014 0000 0000 4001 0000 0a4d0002 0a4d0001"}], "assist": "none"}`,
		`{"packets": [{"reply_to_each": [1, 2], "patch": {"12": "@16+4 @12+4", "20": "00"}, "patch_each": {"22": ["fc38", "@22+2"]}}], "assist": "none", "then_read": {}}`,
		`{"packets": [{"reply_to_each": [1, 9], "patch": {"12": "@80+9"}}], "assist": "fix"}`,
		`{"timeout_ms": 0, "max_packets": 64, "settle_ms": 2000, "max_bytes": 20}`,
		`{"packet": 4, "fields": false}`,
		`{"hex": "4500"}`,
		`{"source": "def handle(p):\n  p[0] = 69\n  return [p, b'\\x45']", "try_on": [1, 2, 4]}`,
		`{"source": ""}`,
		`{"try_on": [1]}`,
	} {
		for tool := range byte(4) {
			f.Add(tool, tool, []byte(arguments))
		}
	}
	var hosts [3]Host // tools and schemas are made once, the session for each input
	var tools [3][]Tool
	for i, level := range levels {
		hosts[i].Assist, hosts[i].Handlers, hosts[i].Status = level, true, func() session.Status { return session.Status{} }
		tools[i] = hosts[i].All()
	}
	f.Fuzz(func(t *testing.T, which, level byte, raw []byte) {
		device := &drain{closed: make(chan struct{})}
		s := session.New(device, session.Config{MTU: 1500, Queue: len(recorded)})
		defer s.Close()
		for _, b := range recorded {
			if _, err := s.Inject(b); err != nil {
				t.Fatal(err)
			}
		}
		h, tool := &hosts[level%3], tools[level%3][which%4]
		h.Session = s
		text, err := tool.Call(t.Context(), raw)
		if err != nil {
			text = err.Error()
		}
		if text == "" || !clean(text) {
			t.Errorf("%s says %q", tool.Name, text)
		}
		sent := device.packets
		var ok bool
		var hidden []string // with assist none
		if h.Assist == AssistNone {
			hidden = []string{"append_text", "fields"}
		}
		switch tool.Name {
		case "read_packet":
			_, ok = understood[readArguments](t, raw, hidden...)
		case "hexdump":
			_, ok = understood[hexdumpArguments](t, raw, hidden...)
		case "install_handler":
			_, ok = understood[handlerArguments](t, raw)
		default:
			var a writeArguments
			if a, ok = understood[writeArguments](t, raw, hidden...); ok {
				checkSent(t, h, a, sent, text)
			}
		}
		if !ok && (err == nil || strings.Contains(text, "\n") || len(text) > 1000) {
			t.Errorf("wrong arguments got the answer %q", text)
		}
		if tool.Name != "write_packet" && len(sent) > 0 {
			t.Errorf("%s sent %x", tool.Name, sent)
		}
		for i, b := range recorded {
			if p, err := s.Packet(i + 1); err != nil || !bytes.Equal(p.Data, b) {
				t.Errorf("#%d was changed, %v", i+1, err)
			}
		}
		if c := s.Counters(); c.Received != c.Delivered+c.Queued+c.Dropped || c.Written != uint64(len(sent)) {
			t.Errorf("%+v, sent %d", c, len(sent))
		}
	})
}

// drain is a device that keeps all packets written to it and never has one to
// read.
type drain struct {
	packets [][]byte
	closed  chan struct{}
}

func (d *drain) Read([]byte) (int, error) { <-d.closed; return 0, os.ErrClosed }
func (d *drain) Close() error             { close(d.closed); return nil }
func (d *drain) Write(b []byte) (int, error) {
	d.packets = append(d.packets, bytes.Clone(b))
	return len(b), nil
}

// clean reports whether text has no control characters other than line breaks.
func clean(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(c rune) bool { return c != '\n' && !unicode.IsPrint(c) })
}

// understood decodes raw, not accepting hidden arguments. It also checks that the
// result survives a round trip through JSON.
func understood[A any](t *testing.T, raw []byte, hidden ...string) (a A, ok bool) {
	t.Helper()
	all := fieldsOf(reflect.TypeFor[A]())
	if fieldsOf(reflect.TypeFor[A](), hidden...).decode(raw, reflect.ValueOf(&a).Elem()) != nil {
		return a, false
	}
	written, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	written = bytes.Replace(written, []byte(`"assist":""`), []byte(`"assist":null`), 1)
	var again A
	if err := all.decode(written, reflect.ValueOf(&again).Elem()); err != nil || !reflect.DeepEqual(a, again) {
		t.Errorf("%s decodes to %+v, after a round trip to %+v, %v", raw, a, again, err)
	}
	return a, true
}

// checkSent checks that the peer got what the arguments describe.
func checkSent(t *testing.T, h *Host, a writeArguments, sent [][]byte, text string) {
	t.Helper()
	assist, err := under(h.Assist, Assist(a.Assist))
	if err != nil {
		a.Packets = nil
	}
	crossed := slices.Clip(recorded)
	all, ok := spelledOut(a.Packets)
	if !ok {
		all = nil // the whole call is refused
	}
	for i, p := range all {
		built, ok := described(p, assist, crossed)
		if assist == AssistFix && ok {
			built, err = packet.Fix(built)
			ok = err == nil
		}
		if ok {
			ok = packet.Carriable(built, 1500) == nil && (assist == AssistNone || packet.Check(built) == nil)
		}
		if ok && p.ReplyTo != nil {
			ok = h.Session.CheckReplyTo(*p.ReplyTo) == nil && *p.ReplyTo <= len(recorded)
		}
		if !ok {
			continue // if it was sent all the same, a later check sees one too many
		}
		if len(sent) == 0 || !bytes.Equal(sent[0], built) {
			t.Fatalf("packet %d should be %x, sent %x\n%s", i+1, built, sent, text)
		}
		sent, crossed = sent[1:], append(crossed, built)
		if assist == AssistNone && !strings.Contains(text, fmt.Sprintf(" %d bytes written", len(built))) && !strings.Contains(text, fmt.Sprintf(" packets written, %d bytes each", len(built))) {
			t.Errorf("packet %d is not in\n%s", i+1, text)
		}
	}
	if len(sent) > 0 {
		t.Errorf("also sent, without being asked: %x\n%s", sent, text)
	}
}

// spelledOut returns elements with each reply_to_each expanded into reply_to. ok
// is false if the call should be refused.
func spelledOut(elements []packetArguments) (all []packetArguments, ok bool) {
	for _, p := range elements {
		if p.ReplyToEach == nil {
			if len(p.PatchEach) > 0 {
				return nil, false
			}
			all = append(all, p)
			continue
		}
		if p.Hex != nil || p.Copy != nil || p.ReplyTo != nil {
			return nil, false
		}
		for i, number := range p.ReplyToEach {
			one := packetArguments{ReplyTo: &number, Cut: p.Cut, Prepend: p.Prepend, Append: p.Append, AppendText: p.AppendText, Patch: map[string]string{}}
			if slices.Contains(p.ReplyToEach[:i], number) {
				return nil, false
			}
			for key, text := range p.Patch {
				one.Patch[key] = text
			}
			for key, texts := range p.PatchEach {
				if _, twice := one.Patch[key]; twice || len(texts) != len(p.ReplyToEach) {
					return nil, false
				}
				one.Patch[key] = texts[i]
			}
			all = append(all, one)
		}
	}
	for _, p := range all {
		start := started(p, recorded)
		for _, text := range p.Patch {
			if _, ok := patched(text, start); !ok && start != nil && badCopy(text, start) {
				return nil, false
			}
		}
	}
	return all, len(all) <= 64
}

// started returns the bytes that a packet starts from, or nil if there are none.
func started(p packetArguments, crossed [][]byte) []byte {
	number := p.Copy
	switch {
	case p.Hex != nil && number != nil:
		return nil
	case p.Hex != nil:
		b, ok := hexBytes(*p.Hex)
		if !ok {
			return nil
		}
		return append([]byte{}, b...)
	case number == nil:
		number = p.ReplyTo
	}
	if number == nil || *number > len(crossed) {
		return nil
	}
	return bytes.Clone(crossed[*number-1])
}

// copyForm matches a copy in the value of a patch.
var copyForm = regexp.MustCompile(`^@([0-9]{1,9})\+([0-9]{1,9})$`)

// badCopy reports whether text has a copy that is malformed or reaches beyond
// start.
func badCopy(text string, start []byte) bool {
	return slices.ContainsFunc(words(text), func(word string) bool {
		_, ok := patched(word, start)
		return word[0] == '@' && !ok
	})
}

// words splits text at ASCII white space.
func words(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" \t\n\v\f\r", c) })
}

// patched returns the bytes that the value of a patch stands for.
func patched(text string, start []byte) (b []byte, ok bool) {
	if !strings.Contains(text, "@") {
		return hexBytes(text)
	}
	for _, word := range words(text) {
		piece, ok := hexBytes(word)
		if m := copyForm.FindStringSubmatch(word); m != nil {
			at, _ := strconv.Atoi(m[1])
			n, _ := strconv.Atoi(m[2])
			if ok = n > 0 && at+n <= len(start); ok {
				piece = start[at : at+n]
			}
		}
		if !ok {
			return nil, false
		}
		b = append(b, piece...)
	}
	return b, true
}

// described builds a packet as documented, independently of build. crossed are
// the packets so far. ok is false if the packet should be refused.
func described(p packetArguments, assist Assist, crossed [][]byte) (b []byte, ok bool) {
	start := started(p, crossed)
	if start == nil {
		return nil, false
	}
	b = bytes.Clone(start)
	if p.Cut != nil {
		if *p.Cut > len(b) {
			return nil, false
		}
		b = b[:*p.Cut]
	}
	taken := make(map[int]bool)
	for key, text := range p.Patch {
		var at int
		if n, err := fmt.Sscanf(key, "%d", &at); n != 1 || err != nil || fmt.Sprint(at) != key {
			return nil, false
		}
		piece, ok := patched(text, start)
		if !ok || len(piece) == 0 || at < 0 || at > len(b) || at+len(piece) > len(b) {
			return nil, false
		}
		for i, c := range piece {
			if taken[at+i] {
				return nil, false
			}
			taken[at+i], b[at+i] = true, c
		}
	}
	front, ok := hexBytes(p.Prepend)
	if !ok {
		return nil, false
	}
	b = append(front, b...)
	more, ok := hexBytes(p.Append)
	if !ok || p.AppendText != "" && assist == AssistNone {
		return nil, false
	}
	return append(append(b, more...), p.AppendText...), true
}

func hexBytes(text string) (b []byte, ok bool) {
	b, err := packet.ParseHex(text)
	return b, err == nil
}
