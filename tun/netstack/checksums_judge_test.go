package netstack_test

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// verdict is what gVisor says of a transport.
type verdict struct {
	ok       bool // its checksum is right, or rightly absent
	refused  bool // its header cannot be parsed
	fragment bool // of a fragment nothing can be said
	unknown  bool // no transport with a checksum, or one that only gVisor or only we look into
}

func judge4(h header.IPv4, transport []byte) verdict {
	if h.TransportProtocol() == header.ICMPv4ProtocolNumber {
		if len(transport) < header.ICMPv4MinimumSize {
			return verdict{refused: true}
		}
		return verdict{ok: checksum.Checksum(transport, 0) == 0xffff}
	}
	return judge(header.IPv4ProtocolNumber, h.TransportProtocol(), h.SourceAddress(), h.DestinationAddress(), transport)
}

// judge6 lets gVisor walk the extension headers.
func judge6(h header.IPv6) verdict {
	payload := buffer.MakeWithData(h.Payload())
	it := header.MakeIPv6PayloadIterator(header.IPv6ExtensionHeaderIdentifier(h.NextHeader()), payload)
	defer it.Release()
	for {
		if it.NextHeaderIdentifier() == header.IPv6ExperimentExtHdrIdentifier {
			return verdict{unknown: true} // RFC 4727; ours takes it for a protocol, since nothing tells its length
		}
		next, done, err := it.Next()
		if err != nil {
			return verdict{refused: true}
		}
		if done {
			return verdict{unknown: true}
		}
		switch x := next.(type) {
		case header.IPv6FragmentExtHdr:
			if !x.IsAtomic() {
				return verdict{fragment: true}
			}
		case header.IPv6RoutingExtHdr:
			left := x.SegmentsLeft()
			x.Release()
			if left > 0 { // gVisor does not look for the final destination
				return verdict{unknown: true}
			}
		case header.IPv6RawPayloadHeader:
			defer x.Release()
			return judge(header.IPv6ProtocolNumber, tcpip.TransportProtocolNumber(x.Identifier),
				h.SourceAddress(), h.DestinationAddress(), x.Buf.Flatten())
		default:
			next.Release()
		}
	}
}

// judge puts the length of a UDP datagram right in transport.
func judge(network tcpip.NetworkProtocolNumber, protocol tcpip.TransportProtocolNumber, src, dst tcpip.Address, transport []byte) verdict {
	size := len(transport)
	switch protocol {
	case header.TCPProtocolNumber:
		if size < header.TCPMinimumSize {
			return verdict{refused: true}
		}
		h := header.TCP(transport)
		if int(h.DataOffset()) > size {
			return verdict{refused: true}
		}
		data := transport[h.DataOffset():]
		_, ok, parsed := header.TCPValid(h, sum(data), uint16(len(data)), src, dst, false)
		return verdict{ok: ok, refused: !parsed}
	case header.UDPProtocolNumber:
		if size < header.UDPMinimumSize {
			return verdict{refused: true}
		}
		h := header.UDP(transport)
		binary.BigEndian.PutUint16(transport[4:], uint16(size))
		data := transport[header.UDPMinimumSize:]
		parsed, ok := header.UDPValid(h, sum(data), uint16(len(data)), network, src, dst, false)
		if network == header.IPv6ProtocolNumber && h.Checksum() == 0 {
			ok = false // RFC 8200 section 8.1; gVisor leaves it to the arithmetic, which may come out right
		}
		return verdict{ok: ok, refused: !parsed}
	case header.ICMPv6ProtocolNumber:
		if network != header.IPv6ProtocolNumber {
			return verdict{unknown: true}
		}
		if size < 4 { // a message of a type that is not known may be no longer
			return verdict{refused: true}
		}
		pseudo := header.PseudoHeaderChecksum(protocol, src, dst, uint16(size))
		return verdict{ok: checksum.Checksum(transport, pseudo) == 0xffff}
	}
	return verdict{unknown: true}
}
