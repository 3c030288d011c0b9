package ladder

import (
	"bytes"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
)

const (
	request = "4500001c00000000400166450a4d00010a4d00020800f7fd00010001"
	reply   = "4500001c00000000400166450a4d00020a4d00010000fffd00010001"
	damaged = "4500001c00000000400166450a4d00020a4d000100001234000100ff"
)

// recording returns a capture of packets given in hex. The first, third and so on are from
// the peer. With comments, the second has the comment of an answer.
func recording(t *testing.T, comments bool, packets ...string) []byte {
	t.Helper()
	file := packet.CaptureHeader("test")
	for i, text := range packets {
		data, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		c := packet.Captured{FromPeer: i%2 == 0, Time: time.Unix(1000, 0).Add(time.Duration(i) * 1500 * time.Millisecond), Data: data}
		if comments && i == 1 {
			c.Comment = "#2 reply to #1, 0.000250 s, by the handler"
		}
		file = c.AppendTo(file)
	}
	return file
}

func read(t *testing.T, file []byte, first, most int) Drawing {
	t.Helper()
	capture, err := packet.NewCaptureReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Read(capture, first, most)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The comments of a recording tell which packet answers which. Without them the flows do.
func TestRead(t *testing.T) {
	d := read(t, recording(t, true, request, reply, request, damaged), 1, 100)
	if d.Peer != "10.77.0.1" || d.Agent != "10.77.0.2" || len(d.Rungs) != 4 {
		t.Fatalf("%+v", d)
	}
	if r := d.Rungs[1]; r.ReplyTo != 1 || r.Response != 0.25 || !r.Handler || r.ToAgent {
		t.Errorf("by its comment: %+v", r)
	}
	if r := d.Rungs[3]; !r.Faulty || r.ToAgent {
		t.Errorf("damaged: %+v", r)
	}
	d = read(t, recording(t, false, request, reply), 1, 100)
	if r := d.Rungs[1]; r.ReplyTo != 1 || r.Response != 1500 || r.Handler {
		t.Errorf("by its flow: %+v", r)
	}
	if d := read(t, recording(t, true, request, reply, request, reply), 3, 1); len(d.Rungs) != 1 || d.Rungs[0].Number != 3 || d.More != 1 {
		t.Errorf("one packet from #3 on: %+v", d)
	}
}

// A truncated capture is drawn up to where it ends.
func TestReadTruncated(t *testing.T) {
	file := recording(t, true, request, reply)
	capture, err := packet.NewCaptureReader(bytes.NewReader(file[:len(file)-10]))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Read(capture, 1, 100)
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(d.Rungs) != 1 {
		t.Errorf("%d rungs, %v", len(d.Rungs), err)
	}
}

func TestWriteMermaid(t *testing.T) {
	var out strings.Builder
	if err := read(t, recording(t, true, request, reply, request, damaged), 1, 3).WriteMermaid(&out); err != nil {
		t.Fatal(err)
	}
	const want = `sequenceDiagram
    participant peer as peer 10.77.0.1
    participant agent as agent 10.77.0.2
    peer->>agent: #35;1 ICMP echo request id 1 seq 1
    agent-->>peer: #35;2 ICMP echo reply id 1 seq 1, answers #35;1 after 0.25 ms, by the handler
    peer->>agent: #35;3 ICMP echo request id 1 seq 1
    Note over peer,agent: and one more packet
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}

// The picture is XML that loads nothing, and text from packets does not become markup.
func TestWriteSVG(t *testing.T) {
	d := read(t, recording(t, true, request, reply, request, damaged), 1, 100)
	d.Rungs[0].Text, d.Rungs[2].Lost, d.Peer = `</text><script>alert(1)</script>`, `"><img src=x>`, "<b>"
	var out strings.Builder
	if err := d.WriteSVG(&out); err != nil {
		t.Fatal(err)
	}
	elements := map[string]int{}
	for decoder := xml.NewDecoder(strings.NewReader(out.String())); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok {
			elements[start.Name.Local]++
			for _, attr := range start.Attr {
				if attr.Name.Local == "href" || strings.HasPrefix(attr.Name.Local, "on") {
					t.Errorf("%s has %s", start.Name.Local, attr.Name.Local)
				}
			}
		}
	}
	if elements["script"]+elements["img"]+elements["b"] > 0 || elements["g"] != 4 || elements["polygon"] != 4 || elements["path"] != 1 {
		t.Errorf("elements %v", elements)
	}
	if strings.Contains(out.String(), "url(") || strings.Count(out.String(), "http") != 1 {
		t.Error("the picture loads something")
	}
}
