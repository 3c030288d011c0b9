package docs_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// What by-hand.md says that the words of a segment make which are the same each
// time: those of the segments that it shows, without their port and A.
func TestSegmentConstants(t *testing.T) {
	guide := read(t, "by-hand.md")
	shown := regexp.MustCompile(`"append": "([0-9a-f ]+)"`).FindAllStringSubmatch(guide, -1)
	if len(shown) != 2 {
		t.Fatalf("%d segments with something to append, want a SYN ACK and an HTTP answer", len(shown))
	}
	unhex := func(text string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	synAck, page := unhex(shown[0][1]), unhex(shown[1][1])
	for _, segment := range []struct {
		row  string
		tcp  string // without the peer's port, A and the checksum
		rest []byte
	}{
		{"from port 80", "0050 0000 00001000 00000000 6012 ffff 0000 0000", synAck},
		{"from port 7", "0007 0000 00001000 00000000 6012 ffff 0000 0000", synAck},
		{"its HTTP answer", "0050 0000 00001001 00000000 5019 ffff 0000 0000", page},
		{"RST ACK", "0000 0000 00000000 00000000 5014 0000 0000 0000", nil},
	} {
		tcp := append(unhex(segment.tcp), segment.rest...)
		sum := uint64(0x0a4d + 1 + 0x0a4d + 2 + 6 + len(tcp))
		for b := append(tcp, make([]byte, len(tcp)%2)...); len(b) > 0; b = b[2:] {
			sum += uint64(binary.BigEndian.Uint16(b))
		}
		want := fmt.Sprintf("0x%04x", fold(sum))
		row := regexp.MustCompile(`(?m)^\|.*` + segment.row + `.*$`).FindString(guide)
		if !strings.Contains(row, want) {
			t.Errorf("%s: the guide says %q, it is %s", segment.row, row, want)
		}
	}
}
