package packet

import (
	"strconv"
	"strings"

	"github.com/google/gopacket/layers"
)

// icmpTypes and icmp6Types are the names of the types, or "" if unknown. They are
// computed once, since every summary needs them.
var icmpTypes, icmp6Types = typeNames(kindICMP), typeNames(kindICMPv6)

// unnamedICMPv6 are the types that gopacket has no name for.
var unnamedICMPv6 = map[uint8]string{
	130: "multicast listener query", // RFC 2710, RFC 3810
	131: "multicast listener report",
	132: "multicast listener done",
	143: "multicast listener report v2",
}

func typeNames(k kind) (names [256]string) {
	for t := range names {
		name, _, _ := strings.Cut(typeCode(k, uint8(t), 0), "(")
		if name != strconv.Itoa(t) { // gopacket's name of an unknown type
			names[t] = words(name)
		}
	}
	if k == kindICMPv6 {
		for t, name := range unnamedICMPv6 {
			names[t] = name
		}
	}
	return names
}

// typeCode returns gopacket's name for type and code: "DestinationUnreachable(Port)".
func typeCode(k kind, t, code uint8) string {
	if k == kindICMPv6 {
		return layers.CreateICMPv6TypeCode(t, code).String()
	}
	return layers.CreateICMPv4TypeCode(t, code).String()
}

// icmpTypeName returns the name of an ICMP or ICMPv6 type, or "type 77" if it is
// unknown.
func icmpTypeName(k kind, t uint8) string {
	names := &icmpTypes
	if k == kindICMPv6 {
		names = &icmp6Types
	}
	if names[t] == "" {
		return "type " + strconv.Itoa(int(t))
	}
	return names[t]
}

// icmpCodeName returns the name of a code, or "code 7" if it is unknown. It returns
// "" for code 0 of a type without codes.
func icmpCodeName(k kind, t, code uint8) string {
	_, name, named := strings.Cut(strings.TrimSuffix(typeCode(k, t, code), ")"), "(")
	if !named && code == 0 {
		return ""
	}
	if !named || strings.HasPrefix(name, "Code") || name == strconv.Itoa(int(code)) {
		if code == 0 {
			return ""
		}
		return "code " + strconv.Itoa(int(code))
	}
	if k == kindICMP && t == layers.ICMPv4TypeDestinationUnreachable && code <= layers.ICMPv4CodePort {
		name += "Unreachable"
	}
	return words(name)
}

// protocolName returns the name of an IP protocol or IPv6 next header, or "" if it
// has none.
func protocolName(proto uint8) string {
	switch p := layers.IPProtocol(proto); p {
	case layers.IPProtocolIPIP: // gopacket calls it IPv4, which is number 4
		return "IPIP"
	case layers.IPProtocolICMPv4:
		return "ICMP"
	case layers.IPProtocolAH:
		return "AH"
	case layers.IPProtocolESP:
		return "ESP"
	case layers.IPProtocolNoNextHeader:
		return "no next header"
	default:
		if name := extensionName(proto); name != "" {
			return name
		}
		if name := p.String(); !strings.HasPrefix(name, "Unknown") {
			return name
		}
		return ""
	}
}

// appendProtocol appends "47 (GRE)", or just the number.
func appendProtocol(out []byte, proto uint8) []byte {
	out = strconv.AppendUint(out, uint64(proto), 10)
	if name := protocolName(proto); name != "" {
		out = append(out, " ("...)
		out = append(out, name...)
		out = append(out, ')')
	}
	return out
}

// tcpOptionName returns the name of a TCP option kind (from IANA's list).
func tcpOptionName(kind uint8) string {
	switch kind {
	case 28:
		return "user timeout" // RFC 5482
	case 30:
		return "multipath TCP" // RFC 8684
	case 34:
		return "fast open" // RFC 7413
	}
	name := layers.TCPOptionKind(kind).String()
	if strings.HasPrefix(name, "Unknown") {
		return "kind " + strconv.Itoa(int(kind))
	}
	return words(name)
}

// ipv4OptionName returns the name of an IPv4 option type (RFC 791 section 3.1), which
// gopacket lacks.
func ipv4OptionName(t uint8) string {
	switch t {
	case 0:
		return "end of list"
	case 1:
		return "no operation"
	case 7:
		return "record route"
	case 68:
		return "timestamp"
	case 130:
		return "security"
	case 131:
		return "loose source route"
	case 137:
		return "strict source route"
	case 148:
		return "router alert" // RFC 2113
	}
	return "type " + strconv.Itoa(int(t))
}

// portName returns "80 (http)", or just the number.
func portName(k kind, port uint16) string {
	name := layers.TCPPort(port).String()
	if k == kindUDP {
		name = layers.UDPPort(port).String()
	}
	return strings.Replace(name, "(", " (", 1)
}

var acronyms = strings.NewReplacer("IPv6", " IPv6 ", "TTL", " TTL ", "TOS", " TOS ", "SACK", " SACK ", "MSS", " MSS ",
	"NOP", " NOP ", "CC", " CC ", "+", " and ", "Dst", "Destination", "Src", "Source", "Admin", "Administratively")

// words splits a name such as "FragmentReassemblyTimeExceeded" into lower-case words.
func words(camel string) string {
	var out strings.Builder
	for _, word := range strings.Fields(acronyms.Replace(camel)) {
		keep := word == strings.ToUpper(word) || word == "IPv6"
		for i, c := range word {
			upper := c >= 'A' && c <= 'Z'
			if out.Len() > 0 && (i == 0 || upper && !keep) {
				out.WriteByte(' ')
			}
			if upper && !keep {
				c += 'a' - 'A'
			}
			out.WriteRune(c)
		}
	}
	return out.String()
}
