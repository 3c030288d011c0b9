package packet

import (
	"net/netip"
	"testing"
)

// AnswersTo of an answer is FlowOf its question.
func TestAnswersTo(t *testing.T) {
	for _, c := range []struct{ answer, question string }{
		{"ping-reply", "ping-request"},
		{"ping-reply-bad-icmp-checksum", "ping-request"},
		{"ipv6-ping-reply", "ipv6-ping-request"},
		{"tcp-syn-ack", "tcp-syn-options"},
		{"ipv6-neighbor-advertisement", "ipv6-neighbor-solicitation"},
		{"icmp-fragmentation-needed", "tcp-pure-ack"},
		{"ipv6-packet-too-big", "ipv6-tcp-syn"},
	} {
		got, ok := AnswersTo(sample(t, c.answer))
		want, wantOK := FlowOf(sample(t, c.question))
		if !ok || !wantOK || got != want {
			t.Errorf("%s answers %+v %v; %s is %+v %v", c.answer, got, ok, c.question, want, wantOK)
		}
	}
	for _, name := range []string{"icmp-port-unreachable", "icmp-time-exceeded"} {
		want := Flow{Src: netip.MustParseAddr("10.77.0.1"), Dst: netip.MustParseAddr("10.77.0.2"), Protocol: 17, A: 53204, B: 33434}
		if got, ok := AnswersTo(sample(t, name)); !ok || got != want {
			t.Errorf("%s answers %+v %v", name, got, ok)
		}
	}
	for _, name := range []string{"ping-request", "ipv6-ping-request", "ipv6-neighbor-solicitation", "ipv4-fragment-last", "ipv4-gre", "version-5", "ping-request-truncated"} {
		if got, ok := AnswersTo(sample(t, name)); ok || got != (Flow{}) {
			t.Errorf("%s answers %+v", name, got)
		}
	}
}

func TestFlowOf(t *testing.T) {
	other := sample(t, "ping-request")
	other[27]++ // the next sequence number
	a, _ := FlowOf(sample(t, "ping-request"))
	b, ok := FlowOf(other)
	if !ok || a == b {
		t.Errorf("%+v and %+v", a, b)
	}
	if f, ok := FlowOf(sample(t, "ipv4-fragment-first")); !ok || f.A != 53204 || f.B != 53 {
		t.Errorf("first fragment: %+v %v", f, ok)
	}
	for _, name := range []string{"ipv4-fragment-last", "ipv6-udp-fragment-last", "ipv4-gre", "ipv4-short-ihl", "version-5",
		"ping-request-truncated", "tcp-short-data-offset", "icmp-port-unreachable", "ipv6-long-extension"} {
		if f, ok := FlowOf(sample(t, name)); ok || f != (Flow{}) {
			t.Errorf("%s has flow %+v", name, f)
		}
	}
}

// The answer to duplicate address detection goes to all nodes (RFC 4861 section
// 7.2.4).
func TestAnswerToUnspecified(t *testing.T) {
	probe := sample(t, "ipv6-neighbor-solicitation")
	copy(probe[8:24], make([]byte, 16))
	answer := sample(t, "ipv6-neighbor-advertisement")
	copy(answer[24:40], netip.MustParseAddr("ff02::1").AsSlice())
	got, ok := AnswersTo(answer)
	if want, _ := FlowOf(probe); !ok || got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestSegmentOf(t *testing.T) {
	fixed := func(name string, change map[string]string) []byte {
		b, err := Patch(sample(t, name), nil, change)
		if err == nil {
			b, err = Fix(b)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	syn, ok := SegmentOf(sample(t, "tcp-syn-options"))
	if !ok || syn.Len != 0 || syn.Seq != 12345 {
		t.Fatalf("SYN: %+v %v", syn, ok)
	}
	// A retransmitted SYN has another timestamp and IP identification.
	if again, ok := SegmentOf(fixed("tcp-syn-options", map[string]string{"4": "1a12", "48": "99"})); !ok || again != syn {
		t.Errorf("repeated SYN: %+v %v", again, ok)
	}
	request, ok := SegmentOf(sample(t, "tcp-http-request"))
	if !ok || request.Len != 35 {
		t.Errorf("request: %+v %v", request, ok)
	}
	for _, change := range []map[string]string{{"27": "01"}, {"33": "10"}, {"40": "50"}, {"20": "0101"}} {
		if other, ok := SegmentOf(fixed("tcp-http-request", change)); !ok || other == request {
			t.Errorf("with the change %v it still counts as a retransmission", change)
		}
	}
	if s, ok := SYNOf(sample(t, "tcp-syn-options")); !ok || s != syn || !s.SYN() || s.Flow.Reversed().Reversed() != s.Flow {
		t.Errorf("SYNOf gives %+v, %v", s, ok)
	}
	if s, ok := SYNOf(sample(t, "tcp-http-request")); ok || request.SYN() {
		t.Errorf("a request counts as the SYN %+v", s)
	}
	damaged := sample(t, "tcp-http-request")
	damaged[36]++
	for name, b := range map[string][]byte{"damaged": damaged, "pure ACK": sample(t, "tcp-pure-ack"), "UDP": sample(t, "udp-dns-query"), "empty": nil} {
		if s, ok := SegmentOf(b); ok || s != (Segment{}) {
			t.Errorf("%s is segment %+v", name, s)
		}
	}
	if _, ok := SegmentOf(sample(t, "tcp-fin-ack")); !ok {
		t.Error("SegmentOf refuses a FIN")
	}
}

func TestAddresses(t *testing.T) {
	src, dst, ok := Addresses(sample(t, "ipv4-short-ihl"))
	if !ok || src.String() != "10.77.0.1" || dst.String() != "10.77.0.2" {
		t.Errorf("%v %v %v", src, dst, ok)
	}
	src, dst, ok = Addresses(sample(t, "ipv6-ping-request"))
	if !ok || src.String() != "2001:db8:77::1" || dst.String() != "2001:db8:77::2" {
		t.Errorf("%v %v %v", src, dst, ok)
	}
	for _, b := range [][]byte{nil, {0x45}, {0x60}, sample(t, "version-5"), sample(t, "ping-request")[:19], sample(t, "ipv6-ping-request")[:39]} {
		if _, _, ok := Addresses(b); ok {
			t.Errorf("% x has addresses", b)
		}
	}
}
