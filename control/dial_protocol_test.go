package control

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// A protocol error ends only its connection.
func TestDialProtocol(t *testing.T) {
	d := withAgent(t, tuntest.OpenMemory(t, tuntest.Both))
	tuntest.ServeTCP(t, d.agent, ":7", tuntest.Echo)
	const upgrade = "POST /dial HTTP/1.1\r\nHost: session\r\nConnection: Upgrade\r\nUpgrade: tun-mcp-dial\r\n\r\n"
	const request = `{"network":"tcp","address":"10.77.0.2:7"}` + "\n"
	for _, c := range []struct{ name, send, want string }{
		{"no upgrade", "POST /dial HTTP/1.1\r\nHost: session\r\nConnection: close\r\n\r\n", "426 Upgrade Required"},
		{"no JSON", upgrade + "hello\n", "the line is not"},
		{"unknown frame", upgrade + request + "\x00\x00\x00\x00\x09", `"remote":"10.77.0.2:7"`},
		{"long frame", upgrade + request + "\xff\xff\xff\xff\x01", `"remote":"10.77.0.2:7"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			wire, err := net.Dial("unix", d.client.Path)
			if err != nil {
				t.Fatal(err)
			}
			defer wire.Close()
			wire.SetDeadline(time.Now().Add(limit))
			io.WriteString(wire, c.send)
			got, err := io.ReadAll(wire)
			if !strings.Contains(string(got), c.want) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	fake := tuntest.NewDevice()
	_, _, client := serving(t, fake)
	if _, err := client.Dial(t.Context(), "tcp", "10.77.0.2:7", 0); err == nil || !strings.Contains(err.Error(), "cannot open connections from its peer") {
		t.Errorf("a link that cannot dial gave %v", err)
	}
}

func TestFaultsCross(t *testing.T) {
	for _, known := range faults {
		data, err := json.Marshal(faultOf(&net.OpError{Op: "read", Err: os.NewSyscallError("connect", known.is[0])}))
		if err != nil {
			t.Fatal(err)
		}
		var f Fault
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatal(err)
		}
		for _, is := range known.is {
			if got := f.err("test"); f.Kind != known.kind || !errors.Is(got, is) {
				t.Errorf("%s arrives as %v", data, got)
			}
		}
	}
	if f := faultOf(errors.New("odd")); f.Kind != faultOther || f.err("test").Error() != "odd" {
		t.Errorf("got %+v", f)
	}
	if err := (&Fault{faultEnded, "why"}).err("test"); err.Error() != "session test has ended: why" {
		t.Errorf("got %v", err)
	}
}

// A frame may arrive byte by byte.
func TestReadFrame(t *testing.T) {
	frame := append(make([]byte, frameHead), "hello"...)
	putHead(frame, frameData, 5)
	kind, data, err := readFrame(bufio.NewReader(iotest.OneByteReader(bytes.NewReader(frame))), make([]byte, maxFrame))
	if kind != frameData || string(data) != "hello" || err != nil {
		t.Errorf("got %d, %q, %v", kind, data, err)
	}
	if _, _, err := readFrame(bytes.NewReader(frame[:7]), make([]byte, maxFrame)); err != io.ErrUnexpectedEOF {
		t.Errorf("an incomplete frame gave %v", err)
	}
}
