package packet

import "strconv"

// Check verifies every header length and checksum of a packet and returns the
// faults, outermost first, or nil. For IPv4 (RFC 791) it checks version, IHL,
// total length, header checksum and options; for IPv6 (RFC 8200) payload length,
// extension headers and their options; for ICMP, ICMPv6, UDP and TCP lengths and
// checksum, and for TCP its options. If bytes follow the stated length, that
// length is a fault. So is a payload length of 0 with a payload, since jumbograms
// (RFC 2675) are not supported.
//
// A UDP datagram may end before the packet does. Then its own length counts, and
// the rest is the surplus area (RFC 9868), which is not checked.
//
// A UDP checksum of 0 means none. IPv4 allows that (RFC 768), IPv6 does not (RFC
// 8200 section 8.1). The transport of a fragment cannot be checked; only its size
// is: all fragments but the last carry a multiple of eight bytes.
//
// The right checksum is computed as if the lengths were already corrected, so all
// faults of a list can be corrected in one go. A damaged header (a fault of size,
// IHL or data offset) hides everything after it.
func Check(b []byte) []Fault {
	v := parse(b)
	return v.check()
}

func (v *view) check() []Fault {
	var faults []Fault
	if v.hdr > 0 {
		faults = v.checkIP(faults)
	}
	if v.bad.Field != "" {
		return append(faults, v.bad)
	}
	if v.frag {
		return v.checkFragment(faults)
	}
	return v.checkTransport(faults)
}

func (v *view) checkIP(faults []Fault) []Fault {
	if v.version == 6 {
		if v.stated != len(v.b) {
			faults = append(faults, Fault{"IPv6", "payload length", 4, uint64(v.stated - ipv6Len), uint64(len(v.b) - ipv6Len), Exactly})
		}
		for _, x := range v.exts[:v.nexts] {
			if x.options {
				faults = checkOptions(faults, v.b, "IPv6", x.off+2, x.off+x.size, ipv6OptionSize)
			}
		}
		return faults
	}
	if v.stated != len(v.b) {
		faults = append(faults, Fault{"IPv4", "total length", 2, uint64(v.stated), uint64(len(v.b)), Exactly})
	}
	if given, want := v.headerChecksum(); !agrees(given, want) {
		faults = append(faults, Fault{"IPv4", "header checksum", 10, uint64(given), uint64(want), Exactly})
	}
	return checkOptions(faults, v.b, "IPv4", ipv4Min, v.hdr, optionSize)
}

// checkFragment verifies the size and the end of a fragment (RFC 791 section 3.2,
// RFC 8200 section 4.5). A receiver drops fragments that do not fit.
func (v *view) checkFragment(faults []Fault) []Fault {
	layer := "IPv4"
	if v.version == 6 {
		layer = "IPv6"
	}
	size := v.end - v.fragAt
	if v.more && size%8 != 0 {
		faults = append(faults, Fault{layer, "fragment payload length", v.fragAt, uint64(size), 8, MultipleOf})
	}
	// The length field of the reassembled packet also counts these headers: for IPv4
	// all of them, for IPv6 those after the first.
	before := v.hdr
	if v.version == 6 {
		before = v.fragAt - fragmentLen - ipv6Len
	}
	if end := before + v.fragOff + size; end > MaxLen {
		faults = append(faults, Fault{layer, "fragment end", v.fragAt, uint64(end), MaxLen, AtMost})
	}
	return faults
}

func (v *view) checkTransport(faults []Fault) []Fault {
	layer := v.kind.layer()
	if v.kind == kindUDP {
		if given, want := int(v.u16(v.up+4)), v.transportEnd()-v.up; given != want {
			faults = append(faults, Fault{layer, "length", v.up + 4, uint64(given), uint64(want), Exactly})
		}
	}
	given, want, at, ok := v.transportChecksum()
	if ok && !agrees(given, want) && !v.checksumAbsent(given) {
		faults = append(faults, Fault{layer, "checksum", at, uint64(given), uint64(want), Exactly})
	}
	if v.kind == kindTCP {
		faults = checkOptions(faults, v.b, layer, v.up+tcpMin, v.up+v.tcpHeader(), optionSize)
	}
	return faults
}

// checksumAbsent reports whether the value given means that there is no checksum.
func (v *view) checksumAbsent(given uint16) bool {
	return v.kind == kindUDP && v.version == 4 && given == 0
}

// checkOptions verifies that the options in b[at:end] fit. It stops at the first
// one that does not, since the next cannot be found.
func checkOptions(faults []Fault, b []byte, layer string, at, end int, sizeOf func([]byte, int, int) (int, Fault)) []Fault {
	for at < end {
		size, fault := sizeOf(b, at, end)
		if fault.Field != "" {
			fault.Layer = layer
			fault.Field = "option " + strconv.Itoa(int(b[at])) + " " + fault.Field
			return append(faults, fault)
		}
		at += size
	}
	return faults
}
