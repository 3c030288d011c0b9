package traffic

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// dnsQuestion asks for the agent's own address.
var dnsQuestion = dnsmessage.Question{Name: dnsmessage.MustNewName("agent.test."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}

// LookUp asks the agent's name server, through the peer's stack, for the A records of
// agent.test. Go's resolver is not used, because it heeds this machine's resolv.conf and
// hosts files. Like Go's, LookUp asks with EDNS first. It asks again without EDNS if the
// server knows none (RFC 6891 section 7), and over TCP if the answer is cut off (RFC 2181
// section 9).
func (p *Peer) LookUp(ctx context.Context) ([]netip.Addr, error) {
	id := uint16(p.Rand.Uint32())
	query := dnsQuery(id, true)
	response, err := p.askDNS(ctx, "udp4", query)
	if err == nil && response.RCode == dnsmessage.RCodeFormatError {
		query = dnsQuery(id+1, false)
		response, err = p.askDNS(ctx, "udp4", query)
	}
	if err == nil && response.Truncated {
		response, err = p.askDNS(ctx, "tcp4", query)
	}
	switch {
	case err != nil:
		return nil, err
	case response.RCode != dnsmessage.RCodeSuccess:
		return nil, fmt.Errorf("the answer for %s has response code %d, want 0", dnsQuestion.Name, response.RCode)
	}
	return response.addresses()
}

// dnsQuery returns a query with dnsQuestion. With EDNS it has an OPT record (RFC 6891
// section 6.1.2) that accepts 1,232 bytes.
func dnsQuery(id uint16, edns bool) []byte {
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: id, RecursionDesired: true}, Questions: []dnsmessage.Question{dnsQuestion}}
	if edns {
		var opt dnsmessage.ResourceHeader
		_ = opt.SetEDNS0(1232, dnsmessage.RCodeSuccess, false) // it never fails
		m.Additionals = []dnsmessage.Resource{{Header: opt, Body: &dnsmessage.OPTResource{}}}
	}
	b, _ := m.Pack() // cannot fail with this name
	return b
}

// askDNS sends a query to port 53 and returns the response to it.
func (p *Peer) askDNS(ctx context.Context, network string, query []byte) (*dnsResponse, error) {
	conn, err := p.Dial(ctx, network, 53, 0)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return converseDNS(conn, network == "tcp4", query)
}

// converseDNS writes a query and returns the first response to it. A stream has the length
// in front of each message (RFC 1035 section 4.2.2).
func converseDNS(conn net.Conn, stream bool, query []byte) (*dnsResponse, error) {
	said := query
	if stream {
		said = append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	}
	if _, err := conn.Write(said); err != nil {
		return nil, err
	}
	heard := make([]byte, 1<<16)
	for {
		n, err := 0, error(nil)
		if stream {
			if _, err = io.ReadFull(conn, heard[:2]); err == nil {
				n, err = io.ReadFull(conn, heard[:binary.BigEndian.Uint16(heard)])
			}
		} else {
			n, err = conn.Read(heard)
		}
		if err != nil {
			return nil, err
		}
		if response := responseTo(query, heard[:n]); response != nil {
			return response, nil
		}
	}
}

// A dnsResponse is a response whose answers are still to be parsed.
type dnsResponse struct {
	dnsmessage.Header
	answers dnsmessage.Parser
}

// responseTo returns b as the response to a query: it has the same identifier and question.
// A server that reports an error may leave the question out. For other messages it returns
// nil.
func responseTo(query, b []byte) *dnsResponse {
	var r dnsResponse
	var err error
	if r.Header, err = r.answers.Start(b); err != nil || !r.Response || r.ID != binary.BigEndian.Uint16(query) {
		return nil
	}
	asked, err := r.answers.AllQuestions()
	if err != nil {
		return nil
	}
	switch len(asked) {
	case 0:
		if r.RCode == dnsmessage.RCodeSuccess {
			return nil
		}
	case 1:
		if q := asked[0]; q.Type != dnsQuestion.Type || q.Class != dnsQuestion.Class || !strings.EqualFold(q.Name.String(), dnsQuestion.Name.String()) {
			return nil
		}
	default:
		return nil
	}
	return &r
}

// addresses returns the addresses in the A records. Other records, for instance CNAME, are
// left out.
func (r *dnsResponse) addresses() (found []netip.Addr, err error) {
	for {
		head, err := r.answers.AnswerHeader()
		switch {
		case errors.Is(err, dnsmessage.ErrSectionDone):
			return found, nil
		case err != nil:
			return nil, fmt.Errorf("the answer's records: %w", err)
		case head.Type != dnsmessage.TypeA:
			err = r.answers.SkipAnswer()
		case head.Length != 4:
			return nil, fmt.Errorf("an A record in the answer has %d bytes, want 4", head.Length)
		default:
			var a dnsmessage.AResource
			if a, err = r.answers.AResource(); err == nil {
				found = append(found, netip.AddrFrom4(a.A))
			}
		}
		if err != nil {
			return nil, fmt.Errorf("the answer's records: %w", err)
		}
	}
}
