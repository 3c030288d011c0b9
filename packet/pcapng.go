package packet

import (
	"encoding/binary"
	"strings"
	"time"
)

// Capture files are pcapng (draft-ietf-opsawg-pcapng), written block by block.
// gopacket's pcapgo.NgWriter is not used, since it cannot write the options of a
// packet, and direction and comment are such options.

// CaptureHeader returns the start of a capture file: the section header, which names
// the application, and two interfaces, one for packets from the peer and one for
// packets from the agent. Append packets with Captured.AppendTo.
func CaptureHeader(application string) []byte {
	out, at := beginBlock(nil, blockSection)
	out = append32(out, 0x1a2b3c4d) // byte order magic: little endian
	out = append32(out, 1)          // version 1.0
	out = binary.LittleEndian.AppendUint64(out, ^uint64(0))
	out = appendTextOption(out, 4, application) // shb_userappl
	out = endBlock(endOptions(out), at)
	out = appendInterface(out, "peer", "packets from the peer's stack")
	return appendInterface(out, "agent", "packets from the agent")
}

// Captured is one packet of a capture file. Its place in the file is its frame
// number, starting at 1.
type Captured struct {
	FromPeer bool      // whether the peer sent it; if not, the agent did
	Time     time.Time // stored in nanoseconds; times before 1970 become 1970
	Data     []byte    // starts with the IP header
	Comment  string    // cut after 4,096 bytes; "" means none
}

// Block types, interface numbers, and the link type.
const (
	blockInterface = 1
	blockPacket    = 6 // "enhanced packet"
	blockSection   = 0x0a0d0d0a

	interfacePeer  = 0
	interfaceAgent = 1

	linkTypeRaw = 101 // LINKTYPE_RAW: IPv4 or IPv6, depending on the version field
)

// Directions in epb_flags, as seen by the agent.
const (
	flagInbound  = 1
	flagOutbound = 2
)

// maxComment is the longest comment, in bytes.
const maxComment = 4096

// AppendTo appends the packet to out as one block of a capture file.
func (c Captured) AppendTo(out []byte) []byte {
	on, flag := uint32(interfaceAgent), uint32(flagOutbound)
	if c.FromPeer {
		on, flag = interfacePeer, flagInbound
	}
	var since1970 uint64
	if c.Time.Unix() >= 0 {
		since1970 = uint64(c.Time.UnixNano())
	}
	out, at := beginBlock(out, blockPacket)
	out = append32(out, on)
	out = append32(out, uint32(since1970>>32))
	out = append32(out, uint32(since1970))
	out = append32(out, uint32(len(c.Data))) // captured length
	out = append32(out, uint32(len(c.Data))) // original length
	out = appendPadded(out, c.Data)
	out = appendTextOption(out, 1, c.Comment) // opt_comment
	out = appendOption(out, 2, append32(nil, flag))
	return endBlock(endOptions(out), at)
}

func appendInterface(out []byte, name, description string) []byte {
	out, at := beginBlock(out, blockInterface)
	out = append32(out, linkTypeRaw)
	out = append32(out, 0)                      // no limit: packets are captured in full
	out = appendTextOption(out, 2, name)        // if_name
	out = appendTextOption(out, 3, description) // if_description
	out = appendOption(out, 9, []byte{9})       // if_tsresol: 10^-9 s
	return endBlock(endOptions(out), at)
}

// beginBlock appends the start of a block and returns its offset, for endBlock.
func beginBlock(out []byte, kind uint32) ([]byte, int) {
	return append32(append32(out, kind), 0), len(out)
}

// endBlock fills in the length of the block that starts at offset at.
func endBlock(out []byte, at int) []byte {
	length := uint32(len(out) + 4 - at)
	binary.LittleEndian.PutUint32(out[at+4:], length)
	return append32(out, length)
}

// appendTextOption appends an option with UTF-8 text, unless text is empty. Invalid
// UTF-8 becomes U+FFFD, and so does NUL, which would end the text for readers in C.
func appendTextOption(out []byte, code uint16, text string) []byte {
	if text == "" {
		return out
	}
	text = strings.ReplaceAll(text[:min(len(text), maxComment)], "\x00", "\uFFFD")
	return appendOption(out, code, []byte(strings.ToValidUTF8(text, "\uFFFD")))
}

func appendOption(out []byte, code uint16, value []byte) []byte {
	out = binary.LittleEndian.AppendUint16(out, code)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(value)))
	return appendPadded(out, value)
}

func endOptions(out []byte) []byte { return append32(out, 0) }

// appendPadded appends b, padded with zeros to a multiple of four bytes.
func appendPadded(out, b []byte) []byte {
	return append(append(out, b...), make([]byte, -len(b)&3)...)
}

func append32(out []byte, n uint32) []byte { return binary.LittleEndian.AppendUint32(out, n) }
