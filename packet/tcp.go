package packet

// tcpHeader returns the length of the TCP header that its data offset states, in
// bytes.
func (v *view) tcpHeader() int { return int(v.b[v.up+12]>>4) * 4 }

// tcpFlags are the names of the flags, starting at bit 0 (RFC 9293 section 3.1), each
// with a space in front.
var tcpFlags = [8]string{" FIN", " SYN", " RST", " PSH", " ACK", " URG", " ECE", " CWR"}

// appendTCP appends the flags, seq, ack (if the ACK flag is set) and the window.
// Numbers that an agent computes with are in hex.
func (v *view) appendTCP(out []byte) []byte {
	flags := v.b[v.up+13]
	for bit, name := range tcpFlags {
		if flags>>bit&1 != 0 {
			out = append(out, name...)
		}
	}
	if flags == 0 {
		out = append(out, " no flags"...)
	}
	out = append(out, " seq "...)
	out = appendHex32(out, v.u32(v.up+4))
	if flags&0x10 != 0 {
		out = append(out, " ack "...)
		out = appendHex32(out, v.u32(v.up+8))
	}
	return appendPair(out, " win ", int(v.u16(v.up+14)), "", -1)
}
