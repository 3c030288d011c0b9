package packet

import "strconv"

// Check verifies every header length and checksum of a packet and returns
// what is wrong, outermost first, nil if nothing is: version, IHL, total
// length, header checksum and options of IPv4 (RFC 791); payload length,
// extension headers and their options of IPv6 (RFC 8200); lengths and
// checksums of ICMP, ICMPv6, UDP and TCP, and the options of TCP. Bytes behind
// the stated length are a fault of that length, and so is a payload length of
// 0 before a payload (jumbograms, RFC 2675, are not supported).
//
// A UDP checksum of 0 means none, which IPv4 allows (RFC 768) and IPv6 does
// not (RFC 8200 section 8.1). The transport of a fragment cannot be judged and
// is not; that fragments but the last carry a multiple of eight bytes is.
//
// What a checksum should be is computed with the lengths put right, so that
// all faults of a list can be corrected in one go. A header that is damaged
// (the fault is one of size, IHL or data offset) hides what is behind it.
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

// checkFragment verifies what RFC 791 section 3.2 and RFC 8200 section 4.5 ask
// of a fragment; a receiver drops those that do not fit.
func (v *view) checkFragment(faults []Fault) []Fault {
	layer := "IPv4"
	if v.version == 6 {
		layer = "IPv6"
	}
	size := v.end - v.fragAt
	if v.more && size%8 != 0 {
		faults = append(faults, Fault{layer, "fragment payload length", v.fragAt, uint64(size), 8, MultipleOf})
	}
	// With the headers that stand before it: the whole packet of IPv4, all
	// behind its first header of IPv6.
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
		if given, want := int(v.u16(v.up+4)), v.end-v.up; given != want {
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

// checksumAbsent says whether a checksum field of this value means that there
// is no checksum.
func (v *view) checksumAbsent(given uint16) bool {
	return v.kind == kindUDP && v.version == 4 && given == 0
}

// checkOptions verifies that the options at b[at:end] fit; behind one that
// does not, no further one can be found.
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
