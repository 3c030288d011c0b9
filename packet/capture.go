package packet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"
)

// A CaptureReader reads the IP packets of a capture file one by one. It accepts
// pcap in both byte orders, with micro- or nanoseconds (draft-ietf-opsawg-pcap),
// and pcapng (draft-ietf-opsawg-pcapng). It unwraps Ethernet, Linux cooked and BSD
// loopback frames, and skips and counts frames without IP. It keeps only one frame
// in memory.
//
// gopacket's pcapgo is not used, since it allocates any size that a file states,
// up to 4 GiB.
type CaptureReader struct {
	in     *bufio.Reader
	order  binary.ByteOrder
	next   func() (Captured, uint32, error) // the next frame and its link type
	frames int
	other  int

	// pcap
	link uint32
	tick time.Duration // the unit of the fraction of a second

	// pcapng
	interfaces []captureInterface
}

// captureInterface is an interface of a pcapng section.
type captureInterface struct {
	link   uint32
	second *big.Int // ticks of its clock per second
	agent  bool     // in a recording, the interface of packets from the agent
}

// maxFrame is the longest frame or block accepted, in bytes. The longest packet
// has 65,575.
const maxFrame = 1 << 20

// maxInterfaces is the most interfaces that a section may have.
const maxInterfaces = 1024

// ErrNoCapture is the error of NewCaptureReader for a file that is not a capture.
var ErrNoCapture = errors.New("not a capture file; accepted: pcap and pcapng (from Wireshark, tcpdump, tun-mcp --record)")

// NewCaptureReader reads the header of a capture file. The error wraps
// ErrNoCapture if r is not a capture file.
func NewCaptureReader(r io.Reader) (*CaptureReader, error) {
	c := &CaptureReader{in: bufio.NewReaderSize(r, 64<<10)}
	head, err := c.in.Peek(4)
	if err != nil {
		return nil, ErrNoCapture
	}
	switch binary.BigEndian.Uint32(head) {
	case blockSection:
		c.next = c.nextBlock
		return c, nil
	case 0xa1b2c3d4:
		c.order, c.tick = binary.BigEndian, time.Microsecond
	case 0xa1b23c4d:
		c.order, c.tick = binary.BigEndian, time.Nanosecond
	case 0xd4c3b2a1:
		c.order, c.tick = binary.LittleEndian, time.Microsecond
	case 0x4d3cb2a1:
		c.order, c.tick = binary.LittleEndian, time.Nanosecond
	default:
		return nil, ErrNoCapture
	}
	header := make([]byte, 24)
	if _, err := io.ReadFull(c.in, header); err != nil {
		return nil, fmt.Errorf("the capture ends in its header: %w", ErrNoCapture)
	}
	c.link = c.order.Uint32(header[20:]) & 0xffff // the upper half has other fields
	if linkName(c.link) == "" {
		return nil, fmt.Errorf("its link type is %d; accepted: %s", c.link, linkNames)
	}
	c.next = c.nextRecord
	return c, nil
}

// Next returns the next IP packet. FromPeer is false if the packet's flags, or a
// recording of tun-mcp, mark it as outbound. The error is io.EOF at the end and
// wraps io.ErrUnexpectedEOF if the file is cut off. If the capture kept only the
// start of a packet, Data is shorter than the packet's header states.
func (c *CaptureReader) Next() (Captured, error) {
	for {
		p, link, err := c.next()
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = fmt.Errorf("the capture is cut off after frame %d: %w", c.frames, err)
			}
			return Captured{}, err
		}
		c.frames++
		var ok bool
		if p.Data, ok = unframe(p.Data, link); ok {
			return p, nil
		}
		c.other++
	}
}

// Frame returns the number of the last frame that Next returned, counting from 1.
func (c *CaptureReader) Frame() int { return c.frames }

// Other returns the number of frames without an IP packet so far.
func (c *CaptureReader) Other() int { return c.other }

// nextRecord reads one record of a pcap file.
func (c *CaptureReader) nextRecord() (Captured, uint32, error) {
	var header [16]byte
	if _, err := io.ReadFull(c.in, header[:]); err != nil {
		return Captured{}, 0, err
	}
	length := c.order.Uint32(header[8:])
	if length > maxFrame {
		return Captured{}, 0, fmt.Errorf("frame %d has %d bytes, but at most %d are accepted: the file is damaged", c.frames+1, length, maxFrame)
	}
	p := Captured{FromPeer: true, Data: make([]byte, length)}
	if _, err := io.ReadFull(c.in, p.Data); err != nil {
		return Captured{}, 0, cutOff(err)
	}
	p.Time = time.Unix(int64(c.order.Uint32(header[:])), int64(c.order.Uint32(header[4:]))*int64(c.tick)).UTC()
	return p, c.link, nil
}

// cutOff turns an EOF inside a block into io.ErrUnexpectedEOF.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// nextBlock reads blocks of a pcapng file up to a packet.
func (c *CaptureReader) nextBlock() (Captured, uint32, error) {
	fail := func(err error) (Captured, uint32, error) { return Captured{}, 0, err }
	for {
		var head [12]byte
		if _, err := io.ReadFull(c.in, head[:8]); err != nil {
			return fail(err)
		}
		if binary.BigEndian.Uint32(head[:]) == blockSection { // the same in both byte orders
			if _, err := io.ReadFull(c.in, head[8:]); err != nil {
				return fail(cutOff(err))
			}
			switch binary.BigEndian.Uint32(head[8:]) {
			case 0x1a2b3c4d:
				c.order = binary.BigEndian
			case 0x4d3c2b1a:
				c.order = binary.LittleEndian
			default:
				return fail(fmt.Errorf("a section after frame %d has no byte order: the file is damaged", c.frames))
			}
			c.interfaces = nil
			if _, err := c.body(c.order.Uint32(head[4:]), 4); err != nil {
				return fail(err)
			}
			continue
		}
		body, err := c.body(c.order.Uint32(head[4:]), 0)
		if err != nil {
			return fail(err)
		}
		switch c.order.Uint32(head[:]) {
		case blockInterface:
			if err := c.addInterface(body); err != nil {
				return fail(err)
			}
		case blockSimple:
			if len(body) < 4 || len(c.interfaces) == 0 {
				return fail(c.damaged())
			}
			length := c.order.Uint32(body)
			return Captured{FromPeer: true, Data: body[4:min(len(body), 4+int(min(length, maxFrame)))]}, c.interfaces[0].link, nil
		case blockPacket:
			return c.enhanced(body)
		}
	}
}

// blockSimple is a packet without a time.
const blockSimple = 3

// body reads the rest of a block of total bytes and returns its body, without the
// trailing length. The head of the block and already more bytes have been read.
func (c *CaptureReader) body(total uint32, already int) ([]byte, error) {
	if total > maxFrame || total%4 != 0 || int(total) < 12+already {
		return nil, c.damaged()
	}
	body := make([]byte, int(total)-8-already)
	if _, err := io.ReadFull(c.in, body); err != nil {
		return nil, cutOff(err)
	}
	return body[:len(body)-4], nil
}

func (c *CaptureReader) damaged() error {
	return fmt.Errorf("a block after frame %d is damaged", c.frames)
}

// addInterface parses an interface description block.
func (c *CaptureReader) addInterface(body []byte) error {
	if len(body) < 8 || len(c.interfaces) >= maxInterfaces {
		return c.damaged()
	}
	i := captureInterface{link: uint32(c.order.Uint16(body)), second: big.NewInt(1e6)}
	c.options(body[8:], func(code uint16, value []byte) {
		switch {
		case code == 2: // if_name
			i.agent = string(value) == "agent"
		case code == 9 && len(value) == 1: // if_tsresol
			base := big.NewInt(10)
			if value[0]&0x80 != 0 {
				base = big.NewInt(2)
			}
			i.second = base.Exp(base, big.NewInt(int64(value[0]&0x7f)), nil)
		}
	})
	c.interfaces = append(c.interfaces, i)
	return nil
}

// enhanced parses an enhanced packet block.
func (c *CaptureReader) enhanced(body []byte) (Captured, uint32, error) {
	if len(body) < 20 || int64(c.order.Uint32(body)) >= int64(len(c.interfaces)) {
		return Captured{}, 0, c.damaged()
	}
	i := c.interfaces[c.order.Uint32(body)]
	length := int64(c.order.Uint32(body[12:]))
	if length > int64(len(body)-20) {
		return Captured{}, 0, c.damaged()
	}
	p := Captured{FromPeer: !i.agent, Data: body[20 : 20+length]}
	// A tick can be anything from a second to far less than a nanosecond.
	ticks := new(big.Int).SetUint64(uint64(c.order.Uint32(body[4:]))<<32 | uint64(c.order.Uint32(body[8:])))
	seconds, rest := new(big.Int).DivMod(ticks, i.second, new(big.Int))
	nanos := rest.Div(rest.Mul(rest, big.NewInt(1e9)), i.second)
	if seconds.IsInt64() && seconds.Int64() < 1<<38 {
		p.Time = time.Unix(seconds.Int64(), nanos.Int64()).UTC()
	}
	c.options(body[min(len(body), 20+int(length+3)&^3):], func(code uint16, value []byte) {
		switch {
		case code == 1 && p.Comment == "":
			p.Comment = strings.ToValidUTF8(string(value[:min(len(value), maxComment)]), "\uFFFD")
		case code == 2 && len(value) == 4: // epb_flags
			if flag := c.order.Uint32(value) & 3; flag != 0 {
				p.FromPeer = flag == flagInbound
			}
		}
	})
	return p, i.link, nil
}

// options calls see with each option of a block, up to the first that does not fit.
func (c *CaptureReader) options(b []byte, see func(code uint16, value []byte)) {
	for len(b) >= 4 {
		code, length := c.order.Uint16(b), int(c.order.Uint16(b[2:]))
		if code == 0 || 4+length > len(b) {
			return
		}
		see(code, b[4:4+length])
		b = b[min(len(b), 4+(length+3)&^3):]
	}
}
