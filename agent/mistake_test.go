package agent

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// TestMistakeOfPayload: the payload is wrong but its checksum is right, even if the
// wrong byte is the last one of an odd number.
func TestMistakeOfPayload(t *testing.T) {
	for data := 1; data <= 9; data++ {
		right := append([]byte{0x45, 0, 0, 0, 1, 2, 0x40, 0, 64, 1, 0, 0, 10, 77, 0, 2, 10, 77, 0, 1, 0, 0, 0, 0, 0, 7, 0, 1}, bytes.Repeat([]byte{0xfe}, data)...)
		right, err := packet.Fix(right)
		if err != nil {
			t.Fatal(err)
		}
		got := mistake(score.FaultPayload).make(slices.Clip(right))
		if len(got) != 1 || len(got[0]) != len(right) || got[0][28] != 0xff || len(packet.Check(got[0])) != 0 {
			t.Errorf("%d bytes of data: %x becomes %x: %v", data, right, got, packet.Check(got[0]))
		}
	}
}
