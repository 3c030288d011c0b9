package ping

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	request4 := "4500001c 00000000 4001 0000 0a4d0001 0a4d0002 0800 0000 1234 0007"
	request6 := "60000000 0008 3a40 20010db8007700000000000000000001 20010db8007700000000000000000002 8000 0000 1234 0007"
	fragment6 := "60000000 0010 2c40 20010db8007700000000000000000001 20010db8007700000000000000000002 3a000001 00000001 8000 0000 1234 0007"
	for _, c := range []struct {
		name, hex string
		is6, ok   bool
		want      Message
	}{
		{"reply", "0000 edc3 1234 0007 0001", false, true, Message{Seq: 7, Data: []byte{0, 1}}},
		{"reply, odd", "0000 ecc4 1234 0007 01", false, true, Message{Seq: 7, Data: []byte{1}}},
		{"reply with a wrong checksum", "0000 0000 1234 0007", false, true, Message{Seq: 7, BadChecksum: true}},
		{"reply, IPv6", "8100 0000 1234 0007 00", true, true, Message{Type: 129, Seq: 7, Data: []byte{0}}},
		{"request", "0800 e5c4 1234 0007", false, false, Message{}},
		{"too short", "0000 edc4 1234", false, false, Message{}},
		{"empty", "", true, false, Message{}},
		{"unreachable", "0301 ____ 00000000" + request4, false, true, Message{Type: 3, Code: 1, Seq: 7}},
		{"fragmentation needed", "0304 ____ 00000578" + request4, false, true, Message{Type: 3, Code: 4, Seq: 7, MTU: 1400}},
		{"unreachable with a wrong checksum", "0301 0000 00000000" + request4, false, false, Message{}},
		{"unreachable, cut", "0301 ____ 00000000" + request4[:len(request4)-4], false, false, Message{}},
		{"unreachable about UDP", "0303 ____ 00000000" + strings.Replace(request4, "4001", "4011", 1), false, false, Message{}},
		{"unreachable about a reply", "0303 ____ 00000000" + strings.Replace(request4, "0800", "0000", 1), false, false, Message{}},
		{"header of 0 bytes", "0301 ____ 00000000" + strings.Replace(request4, "4500", "4000", 1), false, false, Message{}},
		{"too big", "0200 0000 00000500" + request6, true, true, Message{Type: 2, Seq: 7, MTU: 1280}},
		{"hop limit, first fragment", "0300 0000 00000000" + fragment6, true, true, Message{Type: 3, Seq: 7}},
		{"hop limit, cut", "0300 0000 00000000" + fragment6[:len(fragment6)-4], true, false, Message{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := message(t, c.hex)
			m, id, ok := parse(b, c.is6)
			if ok != c.ok || ok && id != 0x1234 {
				t.Fatalf("%v, id %#x, %+v", ok, id, m)
			}
			if ok && (m.Type != c.want.Type || m.Code != c.want.Code || m.Seq != c.want.Seq || m.MTU != c.want.MTU ||
				m.BadChecksum != c.want.BadChecksum || !bytes.Equal(m.Data, c.want.Data)) {
				t.Errorf("%+v, want %+v", m, c.want)
			}
		})
	}
}

// message reads hex; ____ stands for the right checksum.
func message(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(strings.ReplaceAll(text, " ", ""), "____", "0000"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "____") {
		s := ^sum(b)
		b[2], b[3] = byte(s>>8), byte(s)
	}
	return b
}

// FuzzParse checks that every parsed answer has the request's identifier and sequence
// number where RFC 792 and RFC 4443 put them, and that BadChecksum is right.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"0000 edc3 1234 0007 0001",
		"0000 0000 1234 0007",
		"0301 ____ 00000000 4500001c 00000000 4001 0000 0a4d0001 0a4d0002 0800 0000 1234 0007",
		"0304 ____ 00000578 4600001c 00000000 4001 0000 0a4d0001 0a4d0002 01010100 0800 0000 1234 0007",
		"8100 0000 1234 0007 00",
		"0200 0000 00000500 60000000 0008 3a40 20010db8007700000000000000000001 20010db8007700000000000000000002 8000 0000 1234 0007",
		"0300 0000 00000000 60000000 0010 2c40 20010db8007700000000000000000001 20010db8007700000000000000000002 3a000001 00000001 8000 0000 1234 0007",
	} {
		b := message(f, text)
		f.Add(b, false)
		f.Add(b, true)
		f.Add(b[:len(b)-1], len(b)%2 == 0)
	}
	f.Fuzz(func(t *testing.T, b []byte, is6 bool) {
		// As it is, and with a correct checksum.
		checkParse(t, b, is6)
		if len(b) >= icmpHeader {
			b = bytes.Clone(b)
			b[2], b[3] = 0, 0
			s := ^sum(b)
			b[2], b[3] = byte(s>>8), byte(s)
			checkParse(t, b, is6)
		}
	})
}

func checkParse(t *testing.T, b []byte, is6 bool) {
	t.Helper()
	before := bytes.Clone(b)
	m, id, ok := parse(b, is6)
	if !bytes.Equal(b, before) {
		t.Error("the message was changed")
	}
	if !ok {
		return
	}
	header := b // of the reply, or of the request quoted at the end of an error
	reply := m.Type == typeEchoReply && !is6 || m.Type == typeEchoReply6 && is6
	switch {
	case reply && !bytes.Equal(m.Data, b[icmpHeader:]):
		t.Errorf("the data is %x of %x", m.Data, b)
	case !reply && (m.BadChecksum || len(m.Data) > 0 || len(b) < icmpHeader+20+icmpHeader):
		t.Errorf("%x is %+v", b, m)
	case !reply:
		header = b[bytes.LastIndex(b, []byte{byte(id >> 8), byte(id), byte(m.Seq >> 8), byte(m.Seq)})-4:]
	}
	if int(b[0]) != m.Type || int(b[1]) != m.Code || m.MTU < 0 || len(header) < icmpHeader {
		t.Errorf("%x is %+v", b, m)
	}
	if got := [4]byte(header[4:]); got != [4]byte{byte(id >> 8), byte(id), byte(m.Seq >> 8), byte(m.Seq)} {
		t.Errorf("%x is about %#x, %d", b, id, m.Seq)
	}
}
