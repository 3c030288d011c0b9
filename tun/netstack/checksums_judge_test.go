package netstack_test

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// verdict is gVisor's verdict on a transport.
type verdict struct {
	ok       bool // the checksum is right, or may be absent
	refused  bool // the header cannot be parsed
	fragment bool // it is a fragment, so there is no verdict
	unknown  bool // no transport with a checksum, or one that only one of us knows
}

func judge4(h header.IPv4, transport []byte) verdict {
	// gVisor ignores the final destination of a source route.
	for options := h.Options(); len(options) > 1; {
		switch kind, size := options[0], max(2, int(options[1])); {
		case kind == 0:
			options = nil
		case kind == 1:
			options = options[1:]
		case kind == 131 || kind == 137:
			return verdict{unknown: true}
		default:
			options = options[min(size, len(options)):]
		}
	}
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
			return verdict{unknown: true} // RFC 4727; ours treats it as a protocol, since its length is unknown
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
			if left > 0 { // gVisor ignores the final destination
				return verdict{unknown: true}
			}
		case header.IPv6DestinationOptionsExtHdr:
			home := hasHomeAddress(x)
			x.Release()
			if home { // the source in the pseudo-header, which gVisor does not know
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

// hasHomeAddress looks for the option of RFC 6275 section 6.3.
func hasHomeAddress(x header.IPv6DestinationOptionsExtHdr) bool {
	for options := x.Iter(); ; {
		option, done, err := options.Next()
		if done || err != nil {
			return false
		}
		if unknown, ok := option.(*header.IPv6UnknownExtHdrOption); ok && unknown.Identifier == 0xc9 {
			return true
		}
	}
}

// judge returns gVisor's verdict on a transport. It corrects a wrong length of a UDP
// datagram in transport.
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
		of := func(length int) (parsed, ok bool) { // the datagram with this length
			binary.BigEndian.PutUint16(transport[4:], uint16(length))
			data := transport[header.UDPMinimumSize:length]
			return header.UDPValid(h, sum(data), uint16(len(data)), network, src, dst, false)
		}
		// The bytes after the datagram are surplus (RFC 9868), unless the checksum is
		// right only for all of them together.
		stated := int(h.Length())
		_, whole := of(size)
		parsed, ok := true, whole
		if stated >= header.UDPMinimumSize && stated < size {
			if parsed, ok = of(stated); !ok && whole {
				parsed, ok = of(size)
			}
		}
		if network == header.IPv6ProtocolNumber && h.Checksum() == 0 {
			ok = false // RFC 8200 section 8.1; gVisor computes it, and by chance it may be right
		}
		return verdict{ok: ok, refused: !parsed}
	case header.ICMPv6ProtocolNumber:
		if network != header.IPv6ProtocolNumber {
			return verdict{unknown: true}
		}
		if size < 4 { // a message of an unknown type may be this short
			return verdict{refused: true}
		}
		pseudo := header.PseudoHeaderChecksum(protocol, src, dst, uint16(size))
		return verdict{ok: checksum.Checksum(transport, pseudo) == 0xffff}
	}
	return verdict{unknown: true}
}
