package trial

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/trial/judge"
)

// sizes are pings of unusual sizes, and with IP options.
func sizes() Scenario {
	return Scenario{
		Name:   "sizes",
		About:  "echo requests with 0, 1, 56 and 57 bytes of data, with as many as the link's MTU holds (1,472 at 1,500), and with IP options",
		RFC:    "RFC 792, echo; RFC 791 section 3.1, options; RFC 1071, odd lengths",
		Expect: "each is answered once, in time, every byte right",
		Judge:  judge.Echo,
		Run:    runSizes,
	}
}

func runSizes(ctx context.Context, f *Field) ([]judge.Request, error) {
	e, err := f.openEcho(ctx, false)
	if err != nil {
		return nil, err
	}
	for _, size := range []int{0, 1, pingSize, pingSize + 1, f.Status.MTU - 28} {
		if err = e.ask(ctx, fmt.Sprintf("%d bytes", size), size); err != nil {
			return e.close(ctx, err)
		}
	}
	// A ping socket sends no options: these come in as if from the peer, so
	// there is no round trip to measure.
	for _, options := range []struct {
		name  string
		bytes []byte
	}{
		{"option: no operation", []byte{1, 1, 1, 0}},
		{"option: record route", []byte{7, 7, 4, 0, 0, 0, 0, 0}},
	} {
		if err = f.injectPing(ctx, e, options.name, options.bytes, len(e.requests)+1, f.random(24)); err != nil {
			break
		}
	}
	return e.close(ctx, err)
}

// injectPing puts an echo request with IP options into the agent's queue and
// waits until it was answered or is late.
func (f *Field) injectPing(ctx context.Context, e *echoSender, name string, options []byte, n int, data []byte) error {
	p := f.craft(ipv4{options: options, protocol: 1, payload: icmpEcho(8, 0x7e57, uint16(n), data)})
	number, err := f.Session.Inject(ctx, p)
	if err != nil {
		return err
	}
	r := newEchoRequest(n, name)
	r.injected = true
	e.mu.Lock()
	e.requests = append(e.requests, r)
	e.carry(r, number, p)
	e.mu.Unlock()
	return e.answer(ctx, r)
}

// ipv4 is a packet to craft. Zero addresses are the peer's and the agent's.
type ipv4 struct {
	src, dst []byte
	options  []byte // padded to 4 bytes
	protocol byte
	flags    uint16 // flags and fragment offset
	payload  []byte
}

// craft makes a packet with right lengths and checksums.
func (f *Field) craft(p ipv4) []byte {
	header := 20 + len(p.options)
	b := make([]byte, header, header+len(p.payload))
	b[0], b[8], b[9] = 0x40|byte(header/4), 64, p.protocol
	binary.BigEndian.PutUint16(b[4:], uint16(f.Rand.Uint32()))
	binary.BigEndian.PutUint16(b[6:], p.flags)
	copy(b[12:16], address(p.src, f.peer()))
	copy(b[16:20], address(p.dst, f.agent()))
	copy(b[20:], p.options)
	b = append(b, p.payload...)
	fixed, err := packet.Fix(b)
	if err != nil {
		return b // a scenario that crafts what cannot be fixed wants it so
	}
	return fixed
}

func address(given, otherwise []byte) []byte {
	if given != nil {
		return given
	}
	return otherwise
}

// icmpEcho is an ICMP echo message without its checksum.
func icmpEcho(kind byte, id, seq uint16, data []byte) []byte {
	b := make([]byte, 8, 8+len(data))
	b[0] = kind
	binary.BigEndian.PutUint16(b[4:], id)
	binary.BigEndian.PutUint16(b[6:], seq)
	return append(b, data...)
}

// random returns n random bytes.
func (f *Field) random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(f.Rand.Uint32())
	}
	return b
}
