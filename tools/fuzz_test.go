package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

// recorded are the packets #1 to #4 that wait in the queue of FuzzTools: an
// echo request, a segment and its copy, and what is no packet. The queue has
// no more room than these take, so that a read never waits for another.
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

// FuzzTools: whatever the arguments, a tool answers in clean text. What it has
// understood is understood the same when written out again, what it sends is
// what the arguments describe, and no packet of the record changes.
func FuzzTools(f *testing.F) {
	for _, arguments := range []string{
		`{"packets": [{"reply_to": 1, "patch": {"12": "0a4d00020a4d0001", "20": "00"}, "cut": 40, "append": "0102"}], "assist": "fix", "then_read": {"max_packets": 2}}`,
		`{"packets": [{"reply_to": 2, "cut": 28, "prepend": "4500 0038 0000 0000 4001 6629 0a4d0002 0a4d0001 0303 0000 0000 0000"}], "assist": "fix"}`,
		`{"packets": [{"copy": 4, "append_text": "é\n"}, {"hex": "4500 0014 0000 0000 4001 0000 0a4d0002 0a4d0001"}], "assist": "none"}`,
		`{"timeout_ms": 0, "max_packets": 64, "settle_ms": 2000, "max_bytes": 20}`,
		`{"packet": 4, "fields": false}`,
		`{"hex": "4500"}`,
	} {
		for tool := range byte(3) {
			f.Add(tool, tool, []byte(arguments))
		}
	}
	var hosts [3]Host // a tool and its schema are made once, a session each time
	var tools [3][]Tool
	for i, level := range levels {
		hosts[i].Assist, hosts[i].Status = level, func() session.Status { return session.Status{} }
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
		h, tool := &hosts[level%3], tools[level%3][which%3]
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
		default:
			var a writeArguments
			if a, ok = understood[writeArguments](t, raw, hidden...); ok {
				checkSent(t, h, a, sent, text)
			}
		}
		if !ok && (err == nil || strings.Contains(text, "\n") || len(text) > 1000) {
			t.Errorf("arguments that are not understood are answered by %q", text)
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

// drain is a device whose peer keeps what it gets and sends nothing.
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

// clean tells whether text is lines without control characters.
func clean(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(c rune) bool { return c != '\n' && !unicode.IsPrint(c) })
}

// understood decodes raw without hidden arguments, and what came of it once more.
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
		t.Errorf("%s is %+v, written out again %+v, %v", raw, a, again, err)
	}
	return a, true
}

// checkSent holds what the peer got against what the arguments describe.
func checkSent(t *testing.T, h *Host, a writeArguments, sent [][]byte, text string) {
	t.Helper()
	assist, err := under(h.Assist, Assist(a.Assist))
	if err != nil {
		a.Packets = nil
	}
	crossed := slices.Clip(recorded)
	for i, p := range a.Packets {
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
			continue // or else it is one too many
		}
		if len(sent) == 0 || !bytes.Equal(sent[0], built) {
			t.Fatalf("packet %d should be %x, sent %x\n%s", i+1, built, sent, text)
		}
		sent, crossed = sent[1:], append(crossed, built)
		if assist == AssistNone && !strings.Contains(text, fmt.Sprintf(" %d bytes written", len(built))) {
			t.Errorf("packet %d is not in\n%s", i+1, text)
		}
	}
	if len(sent) > 0 {
		t.Errorf("sent beside what was asked for: %x\n%s", sent, text)
	}
}

// described builds a packet as the table of arguments says, from those that
// have crossed the link; ok is false if there is no such packet.
func described(p packetArguments, assist Assist, crossed [][]byte) (b []byte, ok bool) {
	switch number := p.Copy; {
	case p.Hex != nil && number != nil:
		return nil, false
	case p.Hex != nil:
		if b, ok = hexBytes(*p.Hex); !ok {
			return nil, false
		}
	default:
		if number == nil {
			number = p.ReplyTo
		}
		if number == nil || *number > len(crossed) {
			return nil, false
		}
		b = bytes.Clone(crossed[*number-1])
	}
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
		piece, ok := hexBytes(text)
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
