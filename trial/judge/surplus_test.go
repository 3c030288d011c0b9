package judge

import (
	"encoding/hex"
	"testing"

	"github.com/tun-mcp/tun-mcp/packet"
)

// A UDP datagram that ends before its packet does is right (RFC 768, RFC 9868), for the
// judge as well as for packet.Check.
func TestJudgeUDPSurplus(t *testing.T) {
	for _, test := range []struct {
		name, packet string
		right        bool
	}{
		{"a surplus", "45000024000140004011 262c 0a4d00010a4d0002 03e80007000c2284 61626364 4f50544e", true},
		{"a surplus and no checksum", "45000024000140004011 262c 0a4d00010a4d0002 03e80007000c0000 61626364 4f50544e", true},
		{"a surplus and a wrong checksum", "45000024000140004011 262c 0a4d00010a4d0002 03e80007000c2285 61626364 4f50544e", false},
		{"the checksum of the longer one", "45000024000140004011 262c 0a4d00010a4d0002 03e80007000c7edd 61626364 4f50544e", false},
		{"shorter than its header", "45000024000140004011 262c 0a4d00010a4d0002 03e8000700072284 61626364 4f50544e", false},
		{"longer than the packet", "45000024000140004011 262c 0a4d00010a4d0002 03e8000700112284 61626364 4f50544e", false},
	} {
		b, err := packet.ParseHex(test.packet)
		if err != nil {
			t.Fatal(err)
		}
		d := readDatagram(b)
		var f findings
		judgePacket(&d, &f)
		if got := len(f) == 0; got != test.right {
			t.Errorf("%s: the judge finds %v", test.name, f)
		}
		if got := len(packet.Check(b)) == 0; got != test.right {
			t.Errorf("%s: check finds %v in %s", test.name, packet.Check(b), hex.EncodeToString(b))
		}
	}
}
