package agent

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func question(name string, kind dnsmessage.Type) *dnsmessage.Message {
	return &dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 77, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
}

func TestHeadServesDNS(t *testing.T) {
	peer := newLink(t)
	tests := []struct {
		name    string
		kind    dnsmessage.Type
		code    dnsmessage.RCode
		answers string // a part of the GoString of the bodies
	}{
		{"agent.test.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, "10, 77, 0, 2"},
		{"AGENT.Test.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, "10, 77, 0, 2"},
		{"agent.test.", dnsmessage.TypeAAAA, dnsmessage.RCodeSuccess, "32, 1, 13, 184, 0, 119"},
		{"agent.test.", dnsmessage.TypeMX, dnsmessage.RCodeSuccess, ""},
		{"other.test.", dnsmessage.TypeA, dnsmessage.RCodeNameError, ""},
		{"a.b.TEST.", dnsmessage.TypeA, dnsmessage.RCodeNameError, ""},
		{"test.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, ""},
		{"example.com.", dnsmessage.TypeA, dnsmessage.RCodeRefused, ""},
		{"latest.", dnsmessage.TypeA, dnsmessage.RCodeRefused, ""},
		{".", dnsmessage.TypeNS, dnsmessage.RCodeRefused, ""},
	}
	datagrams, connection := dial(t, peer, "udp", "10.77.0.2:53"), dial(t, peer, "tcp", "10.77.0.2:53")
	for _, test := range tests {
		query, err := question(test.name, test.kind).Pack()
		if err != nil {
			t.Fatal(err)
		}
		var answers [2][]byte
		if _, err := datagrams.Write(query); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 512)
		n, err := datagrams.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		answers[0] = buffer[:n]
		if _, err := connection.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
			t.Fatal(err)
		}
		var length [2]byte
		if _, err := io.ReadFull(connection, length[:]); err != nil {
			t.Fatal(err)
		}
		answers[1] = make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(connection, answers[1]); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(answers[0], answers[1]) {
			t.Errorf("%s: the answers over UDP and TCP differ", test.name)
		}
		var m dnsmessage.Message
		if err := m.Unpack(answers[0]); err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, a := range m.Answers {
			text += a.Body.GoString()
		}
		ours := test.code != dnsmessage.RCodeRefused // else the server knows nothing about it
		if m.ID != 77 || !m.Response || m.Authoritative != ours || m.RCode != test.code || len(m.Questions) != 1 || m.Questions[0].Name.String() != test.name ||
			(test.answers == "") != (len(m.Answers) == 0) || !strings.Contains(text, test.answers) || (len(m.Answers)+len(m.Authorities) == 1) != ours {
			t.Errorf("%s %v: %s", test.name, test.kind, m.GoString())
		}
	}
}

func TestZoneAnswersOddQueries(t *testing.T) {
	z := zone{addr4: netip.MustParseAddr("10.77.0.2")}
	pack := func(change func(*dnsmessage.Message)) string {
		m := question("agent.test.", dnsmessage.TypeAAAA)
		change(m)
		data, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(data)
	}
	tests := []struct{ name, query, want string }{
		{"IPv6 is off", pack(func(*dnsmessage.Message) {}), "RCodeSuccess, 0 answers, 1 questions"},
		{"a response", pack(func(m *dnsmessage.Message) { m.Response = true }), "none"},
		{"another class", pack(func(m *dnsmessage.Message) { m.Questions[0].Class = dnsmessage.ClassCHAOS }), "RCodeRefused, 0 answers, 1 questions"},
		{"an update", pack(func(m *dnsmessage.Message) { m.OpCode = 5 }), "RCodeNotImplemented, 0 answers, 0 questions"},
		{"two questions", pack(func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) }), "RCodeFormatError, 0 answers, 0 questions"},
		{"no question", pack(func(m *dnsmessage.Message) { m.Questions = nil }), "RCodeFormatError, 0 answers, 0 questions"},
		{"cut short", pack(func(*dnsmessage.Message) {})[:40], "RCodeFormatError, 0 answers, 0 questions"},
		{"less than a header", "004d0100", "none"},
		{"nothing", "", "none"},
	}
	for _, test := range tests {
		query, err := hex.DecodeString(test.query)
		if err != nil {
			t.Fatal(err)
		}
		got := "none"
		if data := z.answer(query); data != nil {
			var m dnsmessage.Message
			if err := m.Unpack(data); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			got = fmt.Sprintf("%v, %d answers, %d questions", m.RCode, len(m.Answers), len(m.Questions))
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func FuzzZone(f *testing.F) {
	query, err := question("agent.test.", dnsmessage.TypeALL).Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(query)
	z := zone{addr4: netip.MustParseAddr("10.77.0.2"), addr6: netip.MustParseAddr("2001:db8:77::2")}
	f.Fuzz(func(t *testing.T, query []byte) {
		answer := z.answer(query)
		if answer == nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(answer); err != nil || !m.Response || len(answer) > 512 && len(query) <= 512 {
			t.Errorf("the answer to %x is %x: %v", query, answer, err)
		}
	})
}
