package control

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun"
)

// fakePeer is a device whose peer sends nothing. It records what its sockets are
// asked to send.
type fakePeer struct {
	closed   chan struct{}
	cause    error // why it ended, if not by Close
	once     sync.Once
	asked    string        // the network and address of the last dial
	patience time.Duration // timeout of the last dial; 0 means no limit
	sent     [][]byte
}

func (p *fakePeer) Read([]byte) (int, error)    { <-p.closed; return 0, cmp.Or(p.cause, os.ErrClosed) }
func (p *fakePeer) Write(b []byte) (int, error) { return len(b), nil }
func (p *fakePeer) Close() error                { p.once.Do(func() { close(p.closed) }); return nil }

// fail makes the device fail with an error.
func (p *fakePeer) fail(err error) { p.once.Do(func() { p.cause = err; close(p.closed) }) }

func (p *fakePeer) OpenEcho(bool) (tun.Echo, error) { return &fakeSocket{peer: p, done: p.closed}, nil }

func (p *fakePeer) DialContext(ctx context.Context, network, address string, _ int) (net.Conn, error) {
	p.asked = network + " " + address
	if deadline, ok := ctx.Deadline(); ok {
		p.patience = time.Until(deadline)
	}
	if network == "" {
		return nil, syscall.ECONNREFUSED
	}
	return &fakeSocket{peer: p, done: make(chan struct{})}, nil
}

// fakeSocket is a socket of fakePeer that receives nothing: an echo socket or a
// connection.
type fakeSocket struct {
	script
	peer *fakePeer
	done chan struct{}
	once sync.Once
}

// unsendable is the length of a payload that fakeSocket fails to send.
const unsendable = 3

func (c *fakeSocket) Send(payload []byte, seq uint16) error {
	if len(payload) == unsendable {
		return syscall.ENOBUFS
	}
	c.peer.sent = append(c.peer.sent, append(binary.BigEndian.AppendUint16(nil, seq), payload...))
	return nil
}

func (c *fakeSocket) Receive() (tun.EchoMessage, error) {
	return tun.EchoMessage{}, net.ErrClosed
}

func (c *fakeSocket) Read([]byte) (int, error) { <-c.done; return 0, net.ErrClosed }
func (c *fakeSocket) Write(b []byte) (int, error) {
	c.peer.sent = append(c.peer.sent, bytes.Clone(b))
	return len(b), nil
}

func (c *fakeSocket) Close() error {
	if c.done != c.peer.closed {
		c.once.Do(func() { close(c.done) })
	}
	return nil
}

// upgraded returns the data after the 101 response of an upgrade.
func upgraded(t *testing.T, w *taker) string {
	t.Helper()
	head, rest, ok := strings.Cut(w.caller.out.String(), "\r\n\r\n")
	if !ok || !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		t.Fatalf("the answer is %q", w.caller.out.String())
	}
	return rest
}

// checkPing checks that the lines are carried out in order, up to the first wrong
// one.
func checkPing(t *testing.T, _ *session.Session, peer *fakePeer, w *taker, body []byte) {
	var want [][]byte
	unsent, wrong := 0, false
	for line := range bytes.Lines(body) {
		var request EchoRequest
		payload, err := []byte(nil), json.Unmarshal(line, &request)
		if err == nil {
			payload, err = packet.ParseHex(request.Hex)
		}
		if err != nil || len(line) > maxRequest {
			wrong = true
			break
		}
		if len(payload) == unsendable {
			unsent++
			continue
		}
		want = append(want, append(binary.BigEndian.AppendUint16(nil, request.Seq), payload...))
	}
	if !slices.EqualFunc(peer.sent, want, bytes.Equal) {
		t.Errorf("%q: sent %x, want %x", body, peer.sent, want)
	}
	lines := json.NewDecoder(strings.NewReader(upgraded(t, w)))
	var last EchoAnswer
	for lines.More() {
		last = EchoAnswer{}
		if err := lines.Decode(&last); err != nil {
			t.Fatalf("the answer to %q: %v", body, err)
		}
		if last.Unsent != "" {
			unsent--
		}
	}
	if wrong != (last.End != "") || unsent != 0 {
		t.Errorf("%q ended with %+v, %d unsent missing", body, last, unsent)
	}
}

// checkDial checks that the peer dials what the line says, and that the data frames
// after it reach the connection, up to the first wrong frame.
func checkDial(t *testing.T, _ *session.Session, peer *fakePeer, w *taker, body []byte) {
	line, frames, _ := bytes.Cut(body, []byte("\n"))
	var request DialRequest
	var want [][]byte
	err := json.Unmarshal(line, &request)
	good := err == nil && len(line) < len(body) && len(line) < 4096
	if good && peer.asked != request.Network+" "+request.Address || !good && peer.asked != "" {
		t.Errorf("%q dialled %q", line, peer.asked)
	}
	if long := time.Hour; good && request.TimeoutMS >= long.Milliseconds() && peer.patience < long-time.Minute {
		t.Errorf("%q had a timeout of %v", line, peer.patience)
	}
	stream := isStream(request.Network)
	for good && request.Network != "" && len(frames) >= frameHead {
		size, kind := int(binary.BigEndian.Uint32(frames)), frames[4]
		if size > maxFrame || len(frames) < frameHead+size || kind != frameData && (kind != frameEnd || !stream) {
			break
		}
		if kind == frameData {
			want = append(want, frames[frameHead:frameHead+size])
		}
		frames = frames[frameHead+size:]
	}
	if !slices.EqualFunc(peer.sent, want, bytes.Equal) {
		t.Errorf("%q: sent %x, want %x", body, peer.sent, want)
	}
	first, rest, _ := strings.Cut(upgraded(t, w), "\n")
	var answer DialAnswer
	if err := json.Unmarshal([]byte(first), &answer); err != nil || rest != "" || (answer.Fault != nil) != (!good || request.Network == "") {
		t.Errorf("the answer to %q is %q and %q, %v", body, first, rest, err)
	}
	checkRelayed(t, stream, body)
}

// checkRelayed reads body as relayed data from a session. It checks that Read ends,
// and returns no more than went in.
func checkRelayed(t *testing.T, stream bool, body []byte) {
	t.Helper()
	wire := &script{in: bytes.NewReader(body)}
	c := &peerConn{session: "s", wire: wire, network: "tcp", stream: stream, in: bufio.NewReaderSize(wire, frameHead+maxFrame), local: wire.LocalAddr(), remote: wire.RemoteAddr()}
	buffer := make([]byte, 100)
	total := 0
	for reads := 0; ; reads++ {
		n, err := c.Read(buffer)
		total += n
		if _, ended := errors.AsType[*Ended](err); ended || c.fate != nil {
			break
		}
		if total > len(body) || reads > len(body) {
			t.Fatalf("%x: %d bytes in %d reads", body, total, reads)
		}
	}
}
