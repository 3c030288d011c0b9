package e2e

import (
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// words matches the bytes in a line of a result in JSON.
var words = regexp.MustCompile(`\\n\d+: ([0-9a-f ]+)`)

// pointTooLow answers each ping with a record route option whose pointer is below the
// smallest legal value, 4 (RFC 791 section 3.1). Its length fits, so no check of
// lengths and checksums finds a fault.
func pointTooLow(text string, call func(id int, tool, arguments string) string) {
	for id := 2; text != ""; id++ {
		_, number, _ := strings.Cut(text, "#")
		number, _, _ = strings.Cut(number, " ")
		var request string
		for _, line := range words.FindAllStringSubmatch(text, -1) {
			request += strings.ReplaceAll(line[1], " ", "")
		}
		b, err := hex.DecodeString(request)
		if err == nil && len(b) > 28 {
			reply := append([]byte{0x46}, b[1:12]...)
			reply = append(append(reply, b[16:20]...), b[12:16]...)
			reply = append(append(reply, 7, 3, 3, 0), b[20:]...)
			reply[24] = 0
			call(1000+id, "write_packet", fmt.Sprintf(`{"assist":"fix","packets":[{"reply_to":%s,"hex":"%x"}]}`, number, reply))
		}
		text = call(id, "read_packet", `{"timeout_ms":90000,"max_packets":1,"max_bytes":200,"settle_ms":0}`)
	}
}

// A reply that the peer's stack rejects is not right, even if the judge finds nothing
// wrong in it.
func TestTrialOfRepliesThatAreThrownAway(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	report, out, status := runTrialCommand(t, "ping", "--count", "2", "--network", "memory", "--deadline", "5s",
		"--agent", badRole+"=points "+self+" {server}")
	if status != 1 || report.Total.Lost != 2 || report.Total.Answered != 2 {
		t.Errorf("exit status %d, %+v\n%s", status, report.Total, out)
	}
	for _, x := range report.Scenarios[0].Exchanges {
		if !strings.Contains(x.Detail, "looks right, but the program that pinged never got it") {
			t.Errorf("%+v", x)
		}
	}
}
