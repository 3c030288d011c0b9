package packet

// optionSize returns the length in bytes of the IPv4 or TCP option at offset at, in a
// list that ends at end (RFC 791 section 3.1, RFC 9293 section 3.1). In both, 0 ends
// the list, with padding after it, and 1 is one byte of padding. If the option does
// not fit, fault is not zero; the caller adds its layer and name.
func optionSize(b []byte, at, end int) (size int, fault Fault) {
	switch b[at] {
	case 0:
		return end - at, Fault{}
	case 1:
		return 1, Fault{}
	}
	left := end - at
	if left < 2 {
		return left, Fault{At: at, Given: uint64(left), Want: 2, Bound: AtLeast, Field: "size"}
	}
	return lengthFault(int(b[at+1]), at+1, 2, left)
}

// ipv6OptionSize is optionSize for hop-by-hop and destination options (RFC 8200
// section 4.2). There 0 is one byte of padding, and the length does not include the
// two bytes of type and length.
func ipv6OptionSize(b []byte, at, end int) (size int, fault Fault) {
	if b[at] == 0 {
		return 1, Fault{}
	}
	left := end - at
	if left < 2 {
		return left, Fault{At: at, Given: uint64(left), Want: 2, Bound: AtLeast, Field: "size"}
	}
	size, fault = lengthFault(int(b[at+1]), at+1, 0, left-2)
	return size + 2, fault
}

func lengthFault(size, at, least, most int) (int, Fault) {
	switch {
	case size < least:
		return size, Fault{At: at, Given: uint64(size), Want: uint64(least), Bound: AtLeast, Field: "length"}
	case size > most:
		return size, Fault{At: at, Given: uint64(size), Want: uint64(most), Bound: AtMost, Field: "length"}
	}
	return size, Fault{}
}
