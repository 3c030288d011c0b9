package traffic

import (
	"context"
	"encoding/binary"

	"github.com/tun-mcp/tun-mcp/packet"
)

// A Piece is a packet that carries a request or a part of it.
type Piece struct {
	Request int // index into the requests of the call
	Packet  []byte
}

// Inject puts the packets of one echo request into the agent's queue, as if the peer
// had sent them, and waits for the answer or the deadline. No program receives the
// answer, so the request has no round-trip time.
func (e *EchoSender) Inject(ctx context.Context, name string, packets ...[]byte) error {
	var pieces []Piece
	for _, b := range packets {
		pieces = append(pieces, Piece{Packet: b})
	}
	return e.InjectPieces(ctx, []string{name}, pieces)
}

// InjectPieces is Inject for several requests, whose packets may be interleaved.
func (e *EchoSender) InjectPieces(ctx context.Context, names []string, pieces []Piece) error {
	asked := make([]*echoRequest, len(names))
	e.mu.Lock()
	done := true
	for i, name := range names {
		asked[i] = newEchoRequest(len(e.requests)+1, name)
		asked[i].injected = true
		e.requests = append(e.requests, asked[i])
		done = e.peer.Done[asked[i].N] != "" && done
	}
	e.mu.Unlock()
	if done { // interleaved requests are sent together or not at all
		for _, r := range asked {
			e.skip(r)
		}
		return nil
	}
	for _, piece := range pieces {
		number, err := e.peer.Session.Inject(ctx, piece.Packet)
		if err != nil {
			return err
		}
		e.mu.Lock()
		e.carry(asked[piece.Request], number, piece.Packet)
		e.mu.Unlock()
	}
	for _, r := range asked {
		if err := e.answer(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// Leave puts a packet into the agent's queue that the agent has to ignore. It does not
// wait.
func (e *EchoSender) Leave(ctx context.Context, name string, packet []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := newEchoRequest(len(e.requests)+1, name)
	r.injected, r.Leave = true, true
	r.end() // there is no answer to wait for
	e.requests = append(e.requests, r)
	if e.skip(r) {
		return nil
	}
	number, err := e.peer.Session.Inject(ctx, packet)
	if err == nil {
		e.carry(r, number, packet)
	}
	return err
}

// IPv4 describes a packet to craft. A nil Src means the peer's address, a nil Dst the
// agent's.
type IPv4 struct {
	Src, Dst []byte
	Options  []byte // padded to 4 bytes
	Protocol byte
	Flags    uint16 // flags and fragment offset
	Payload  []byte
}

// Craft returns a packet with the right lengths and checksums, and a TTL of 64.
func (p *Peer) Craft(c IPv4) []byte {
	header := 20 + len(c.Options)
	b := make([]byte, header, header+len(c.Payload))
	b[0], b[8], b[9] = 0x40|byte(header/4), 64, c.Protocol
	binary.BigEndian.PutUint16(b[4:], uint16(p.Rand.Uint32()))
	binary.BigEndian.PutUint16(b[6:], c.Flags)
	copy(b[12:16], address(c.Src, p.PeerAddress()))
	copy(b[16:20], address(c.Dst, p.AgentAddress()))
	copy(b[20:], c.Options)
	b = append(b, c.Payload...)
	return sealed(b)
}

func address(given, otherwise []byte) []byte {
	if given != nil {
		return given
	}
	return otherwise
}

// CraftPing returns an echo request from the peer to the agent. Options are IP options;
// nil means none.
func (p *Peer) CraftPing(options []byte, seq int, data []byte) []byte {
	return p.Craft(IPv4{Options: options, Protocol: 1, Payload: ICMPEcho(8, 0x7e57, uint16(seq), data)})
}

// ICMPEcho returns an ICMP echo message with the checksum 0.
func ICMPEcho(kind byte, id, seq uint16, data []byte) []byte {
	b := make([]byte, 8, 8+len(data))
	b[0] = kind
	binary.BigEndian.PutUint16(b[4:], id)
	binary.BigEndian.PutUint16(b[6:], seq)
	return append(b, data...)
}

// Fragments splits an IPv4 packet without options into fragments of size bytes of
// payload, in order (RFC 791 section 3.2). Size must be a multiple of 8.
func Fragments(b []byte, size int) [][]byte {
	const header, moreFragments = 20, 0x2000
	var all [][]byte
	for at := 0; at < len(b)-header; at += size {
		end := min(at+size, len(b)-header)
		part := append(append([]byte(nil), b[:header]...), b[header+at:header+end]...)
		flags := uint16(at / 8)
		if end < len(b)-header {
			flags |= moreFragments
		}
		binary.BigEndian.PutUint16(part[6:], flags)
		all = append(all, sealed(part))
	}
	return all
}

// sealed returns b with lengths and checksums filled in, or b itself if that is not
// possible: some scenarios send malformed packets on purpose.
func sealed(b []byte) []byte {
	if fixed, err := packet.Fix(b); err == nil {
		return fixed
	}
	return b
}
