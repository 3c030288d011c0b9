package ping

import "fmt"

// errorText describes an ICMP error in iputils' words.
func errorText(m Message) string {
	kinds := errors4
	if !m.From.Is4() {
		kinds = errors6
	}
	kind, ok := kinds[m.Type]
	if !ok {
		return fmt.Sprintf("Bad ICMP type: %d", m.Type)
	}
	text := kind.name
	if m.Code < len(kind.codes) {
		text += kind.codes[m.Code]
	} else if len(kind.codes) > 0 {
		text += fmt.Sprintf("%s, bad code: %d", kind.other, m.Code)
	}
	if m.MTU > 0 {
		text += fmt.Sprintf(" (mtu = %d)", m.MTU)
	}
	return text
}

// errorKind is one type of ICMP error.
type errorKind struct {
	name  string   // prefix of every text of this type
	codes []string // the rest, by code; nil means name is the whole text
	other string   // the rest for any other code
}

// Errors of ICMP: RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1.
var errors4 = map[int]errorKind{
	3: {"", []string{
		"Destination Net Unreachable", "Destination Host Unreachable", "Destination Protocol Unreachable",
		"Destination Port Unreachable", "Frag needed and DF set", "Source Route Failed", "Destination Net Unknown",
		"Destination Host Unknown", "Source Host Isolated", "Destination Net Prohibited", "Destination Host Prohibited",
		"Destination Net Unreachable for Type of Service", "Destination Host Unreachable for Type of Service",
		"Packet filtered", "Precedence Violation", "Precedence Cutoff",
	}, "Dest Unreachable"},
	4:  {name: "Source Quench"},
	5:  {"Redirect ", []string{"Network", "Host", "Type of Service and Network", "Type of Service and Host"}, "(unknown)"},
	11: {"", []string{"Time to live exceeded", "Frag reassembly time exceeded"}, "Time exceeded"},
	12: {name: "Parameter problem"},
}

// Errors of ICMPv6: RFC 4443, section 3.
var errors6 = map[int]errorKind{
	1: {"Destination unreachable: ", []string{
		"No route", "Administratively prohibited", "Beyond scope of source address", "Address unreachable",
		"Port unreachable", "Source address failed policy", "Reject route",
	}, "unknown"},
	2: {name: "Packet too big"},
	3: {"Time exceeded: ", []string{"Hop limit", "Defragmentation failure"}, "unknown"},
	4: {"Parameter problem: ", []string{"Wrong header field", "Unknown header", "Unknown option"}, "unknown"},
}
