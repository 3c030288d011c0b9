package packet

import (
	"fmt"
	"strings"
)

// Bound is how the field of a Fault must compare with Want.
type Bound uint8

const (
	Exactly    Bound = iota // the field should be Want
	AtLeast                 // the field should be Want or more
	AtMost                  // the field should be Want or less
	MultipleOf              // the field should be a multiple of Want
)

// Fault is a wrong length or checksum in a packet. It is comparable; the zero value
// means no fault.
type Fault struct {
	Layer string // "IP", "IPv4", "IPv6", "ICMP", "ICMPv6", "UDP" or "TCP"
	Field string // the field's name, such as "checksum" or "total length"
	At    int    // offset of the field in the packet, in bytes
	Given uint64 // the value in the packet; lengths are in bytes
	Want  uint64 // the right value or its limit, see Bound
	Bound Bound
}

// String describes the fault: "ICMP checksum is 0x3eb6, should be 0x3eb7".
func (f Fault) String() string {
	switch {
	case f.Field == "version":
		return fmt.Sprintf("IP version is %d, should be 4 or 6", f.Given)
	case strings.HasSuffix(f.Field, "checksum"):
		return fmt.Sprintf("%s %s is 0x%04x, should be 0x%04x", f.Layer, f.Field, f.Given, f.Want)
	}
	bound := ""
	switch f.Bound {
	case AtLeast:
		bound = "at least "
	case AtMost:
		bound = "at most "
	case MultipleOf:
		bound = "a multiple of "
	}
	return fmt.Sprintf("%s %s is %d, should be %s%d", f.Layer, f.Field, f.Given, bound, f.Want)
}
