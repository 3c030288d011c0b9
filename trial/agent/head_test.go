package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun/netstack"
)

// limit bounds every wait: long enough for a busy machine.
const limit = 30 * time.Second

// newLink joins a head directly to a stack that is its peer, no tools between.
func newLink(t *testing.T) *netstack.Stack {
	t.Helper()
	peer, err := netstack.New(netstack.Config{Addr: netip.MustParsePrefix("10.77.0.1/24"), Addr6: netip.MustParsePrefix("2001:db8:77::1/64")})
	if err != nil {
		t.Fatal(err)
	}
	h, err := newHead(session.Status{Peer: "10.77.0.1/24", Agent: "10.77.0.2", Peer6: "2001:db8:77::1/64", Agent6: "2001:db8:77::2", MTU: 1500})
	if err != nil {
		t.Fatal(err)
	}
	toPeer, toHead := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(toPeer)
		for p := range h.sent {
			if _, err := peer.Write(p); err != nil && !errors.Is(err, os.ErrClosed) {
				t.Errorf("to the peer: %v", err)
			}
		}
	}()
	go func() {
		defer close(toHead)
		buffer := make([]byte, longestPacket)
		for {
			n, err := peer.Read(buffer)
			if err != nil {
				return
			}
			h.receive(bytes.Clone(buffer[:n]))
		}
	}()
	t.Cleanup(func() {
		peer.Close()
		<-toHead
		h.close()
		<-toPeer
	})
	return peer
}

func dial(t *testing.T, peer *netstack.Stack, network, address string) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	c, err := peer.DialContext(ctx, network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestHeadAnswersPing(t *testing.T) {
	peer := newLink(t)
	for network, agent := range map[string]string{"ip4": "10.77.0.2", "ip6": "2001:db8:77::2"} {
		c, err := peer.ListenEcho(network, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		for seq := range uint16(100) {
			want := bytes.Repeat([]byte{byte(seq)}, int(seq)*30) // the longest take two fragments
			if err := c.WriteTo(want, netip.MustParseAddr(agent), seq); err != nil {
				t.Fatal(err)
			}
			m, err := c.ReadFrom(ctx)
			if err != nil || !m.IsReply() || m.Seq != seq || !bytes.Equal(m.Data, want) {
				t.Fatalf("%s, seq %d: %+v, %v", network, seq, m, err)
			}
		}
	}
}

func TestHeadRefusesClosedPorts(t *testing.T) {
	peer := newLink(t)
	for _, agent := range []string{"10.77.0.2", "[2001:db8:77::2]"} {
		c := dial(t, peer, "udp", agent+":9")
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("UDP to %s: %v, want refused", agent, err)
		}
		if _, err := peer.DialContext(t.Context(), "tcp", agent+":9"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("TCP to %s: %v, want refused", agent, err)
		}
	}
}

func TestHeadEchoes(t *testing.T) {
	peer := newLink(t)
	for _, agent := range []string{"10.77.0.2:7", "[2001:db8:77::2]:7"} {
		for _, network := range []string{"udp", "tcp"} {
			c := dial(t, peer, network, agent)
			for _, want := range []string{"hello", "again"} {
				if _, err := io.WriteString(c, want); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(want))
				if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
					t.Errorf("%s %s: %q, %v", network, agent, got, err)
				}
			}
		}
	}
}

func TestHeadServesHTTP(t *testing.T) {
	peer := newLink(t)
	client := &http.Client{Timeout: limit, Transport: &http.Transport{DialContext: peer.DialContext}}
	defer client.CloseIdleConnections()
	get := func(path string) (int, []byte) {
		t.Helper()
		response, err := client.Get("http://10.77.0.2" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, body
	}
	if status, body := get("/"); status != 200 || !strings.Contains(string(body), "10.77.0.2") {
		t.Errorf("/: %d, %s", status, body)
	}
	status, body := get("/bytes?n=3000000")
	want := sha256.New()
	if _, err := io.Copy(want, Bytes(3000000)); err != nil {
		t.Fatal(err)
	}
	if got := sha256.Sum256(body); status != 200 || len(body) != 3000000 || !bytes.Equal(got[:], want.Sum(nil)) {
		t.Errorf("/bytes: %d, %d bytes, SHA-256 %x, want %x", status, len(body), got, want.Sum(nil))
	}
	// The bytes are the same in every version: others have written the hash down.
	const written = "e7af90ae92be0f45b61de88943a1fee2e42e21e964eb2f75ec22e74bd2585c5c"
	if status, body := get("/sha256?n=50000000"); status != 200 || string(body) != written+"\n" {
		t.Errorf("/sha256 of 50 MB: %d, %s, want %s", status, body, written)
	}
	for path, want := range map[string]int{"/bytes": 400, "/bytes?n=-1": 400, "/bytes?n=100000001": 400, "/sha256?n=x": 400, "/nowhere": 404} {
		if status, body := get(path); status != want {
			t.Errorf("%s: %d, want %d: %s", path, status, want, body)
		}
	}
}

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
		answers string // as GoString of the bodies, the addresses are in it
	}{
		{"agent.test.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, "10, 77, 0, 2"},
		{"AGENT.Test.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, "10, 77, 0, 2"},
		{"agent.test.", dnsmessage.TypeAAAA, dnsmessage.RCodeSuccess, "32, 1, 13, 184, 0, 119"},
		{"agent.test.", dnsmessage.TypeMX, dnsmessage.RCodeSuccess, ""},
		{"other.test.", dnsmessage.TypeA, dnsmessage.RCodeNameError, ""},
		{"example.com.", dnsmessage.TypeA, dnsmessage.RCodeNameError, ""},
		{".", dnsmessage.TypeNS, dnsmessage.RCodeNameError, ""},
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
			t.Errorf("%s: UDP and TCP differ", test.name)
		}
		var m dnsmessage.Message
		if err := m.Unpack(answers[0]); err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, a := range m.Answers {
			text += a.Body.GoString()
		}
		if m.ID != 77 || !m.Response || !m.Authoritative || m.RCode != test.code || len(m.Questions) != 1 || m.Questions[0].Name.String() != test.name ||
			(test.answers == "") != (len(m.Answers) == 0) || !strings.Contains(text, test.answers) || len(m.Answers)+len(m.Authorities) != 1 {
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
			t.Errorf("answered %x with %x: %v", query, answer, err)
		}
	})
}
