package agent

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/tun-mcp/tun-mcp/tun/netstack"
)

// zone is the data of the agent's name server: the top-level domain test, reserved
// by RFC 6761, section 6.2, with one name, agent.test, the agent itself.
type zone struct {
	addr4 netip.Addr
	addr6 netip.Addr // the zero Addr if IPv6 is off
}

var (
	agentName = dnsmessage.MustNewName("agent.test.")
	zoneName  = dnsmessage.MustNewName("test.")
)

const (
	zoneTTL   = 60               // seconds
	dnsIdle   = 30 * time.Second // how long a TCP connection may be silent
	dnsUDP    = 1232             // the longest datagram that this server accepts, in bytes
	dnsHeader = 12               // bytes, RFC 1035, section 4.1.1
)

// serveDNS answers queries on port 53, UDP and TCP, until the stack ends.
func serveDNS(stack *netstack.Stack, z zone) error {
	datagrams, err := stack.ListenPacket("udp", ":53")
	if err != nil {
		return err
	}
	connections, err := stack.Listen("tcp", ":53")
	if err != nil {
		return err
	}
	go serveDatagrams(datagrams, func(query []byte, _ *net.UDPAddr) []byte { return z.answer(query) })
	go serveConnections(connections, z.converse)
	return nil
}

// converse answers the queries of a TCP connection. Each message has its length in
// front (RFC 1035, section 4.2.2).
func (z zone) converse(c net.Conn) {
	var length [2]byte
	for {
		if err := c.SetDeadline(time.Now().Add(dnsIdle)); err != nil {
			return
		}
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		answer := z.answer(query)
		if answer == nil {
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

// answer returns the answer to a query. It returns nil if query is a response or
// shorter than a header. Every answer fits into a datagram of 512 bytes.
func (z zone) answer(query []byte) []byte {
	var q dnsmessage.Message
	err := q.Unpack(query)
	if len(query) < dnsHeader || query[2]&0x80 != 0 {
		return nil
	}
	reply := dnsmessage.Message{Header: dnsmessage.Header{
		ID: binary.BigEndian.Uint16(query), Response: true,
		OpCode: dnsmessage.OpCode(query[2] >> 3 & 15), RecursionDesired: query[2]&1 != 0,
	}}
	switch {
	case reply.OpCode != 0:
		reply.RCode = dnsmessage.RCodeNotImplemented
	case err != nil || len(q.Questions) != 1:
		reply.RCode = dnsmessage.RCodeFormatError
	default:
		reply.Questions = q.Questions
		z.resolve(q.Questions[0], &reply)
		for _, r := range q.Additionals {
			if r.Header.Type == dnsmessage.TypeOPT { // RFC 6891, section 6.1.1
				opt := dnsmessage.Resource{Body: &dnsmessage.OPTResource{}}
				_ = opt.Header.SetEDNS0(dnsUDP, dnsmessage.RCodeSuccess, false) // cannot fail: the root is a good name
				reply.Additionals = append(reply.Additionals, opt)
				break
			}
		}
	}
	packed, err := reply.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// resolve fills in the answer to a question.
func (z zone) resolve(q dnsmessage.Question, reply *dnsmessage.Message) {
	name := strings.ToLower(q.Name.String())
	inZone := name == zoneName.String() || strings.HasSuffix(name, "."+zoneName.String())
	if !inZone || q.Class != dnsmessage.ClassINET && q.Class != dnsmessage.ClassANY { // RFC 1035, section 4.1.1
		reply.RCode = dnsmessage.RCodeRefused
		return
	}
	reply.Authoritative = true
	if name == agentName.String() {
		wants := func(t dnsmessage.Type) bool { return q.Type == t || q.Type == dnsmessage.TypeALL }
		if wants(dnsmessage.TypeA) {
			reply.Answers = append(reply.Answers, record(q.Name, &dnsmessage.AResource{A: z.addr4.As4()}))
		}
		if wants(dnsmessage.TypeAAAA) && z.addr6.IsValid() {
			reply.Answers = append(reply.Answers, record(q.Name, &dnsmessage.AAAAResource{AAAA: z.addr6.As16()}))
		}
	} else if name != zoneName.String() {
		reply.RCode = dnsmessage.RCodeNameError
	}
	if len(reply.Answers) == 0 {
		// A negative answer carries the zone's SOA record: RFC 2308, section 2.
		reply.Authorities = append(reply.Authorities, record(zoneName, &dnsmessage.SOAResource{
			NS: agentName, MBox: dnsmessage.MustNewName("hostmaster.agent.test."),
			Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, MinTTL: zoneTTL,
		}))
	}
}

func record(name dnsmessage.Name, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: zoneTTL},
		Body:   body,
	}
}
