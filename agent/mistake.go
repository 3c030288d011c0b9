package agent

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// A mistake is a fault that the built-in agent makes on purpose, to test whether a
// trial's score finds it. Its name is the kind of fault that the score should
// report.
type mistake string

// mistakes are all mistakes that the agent can make.
var mistakes = []string{
	score.FaultIPChecksum, score.FaultTransportChecksum, score.FaultLength, score.FaultAddresses, score.FaultIDSeq, score.FaultPayload,
	score.FaultType, score.FaultDuplicate, score.FaultLate, score.FaultLost, score.FaultNoise,
}

// Mistakes lists the mistakes, for help and errors.
func Mistakes() string { return strings.Join(mistakes, ", ") }

// MistakesHelp lists the mistakes with hints on their use.
func MistakesHelp() string {
	return fmt.Sprintf("%s; %s answers after %.1f s: use it with --deadline 1s", Mistakes(), score.FaultLate, lateBy.Seconds())
}

// CheckMistake returns an error if there is no mistake called name.
func CheckMistake(name string) error {
	if slices.Contains(mistakes, name) {
		return nil
	}
	return fmt.Errorf("there is no mistake %q; accepted: %s", name, Mistakes())
}

// lateBy is the delay of each answer with the mistake late.
const lateBy = 1500 * time.Millisecond

// make applies the mistake to an echo reply over IPv4 and returns the zero, one or
// two packets to write instead. A wrong transport checksum also goes into UDP from
// port 7. Other packets stay as they are.
func (m mistake) make(b []byte) [][]byte {
	if string(m) == score.FaultTransportChecksum && len(b) >= 28 && b[0] == 0x45 && b[9] == 17 && b[20] == 0 && b[21] == 7 {
		wrong := bytes.Clone(b) // UDP from port 7, the echo service
		wrong[27] ^= 1
		return [][]byte{wrong}
	}
	if len(b) < 29 || b[0] != 0x45 || b[9] != 1 || b[20] != 0 || binary.BigEndian.Uint16(b[6:])&0x3fff != 0 {
		return [][]byte{b}
	}
	wrong := bytes.Clone(b)
	switch string(m) {
	case score.FaultIPChecksum:
		wrong[11] ^= 1
	case score.FaultTransportChecksum:
		wrong[23] ^= 1
	case score.FaultLength:
		binary.BigEndian.PutUint16(wrong[2:], uint16(len(b)-4))
		adjust(wrong, 10, uint16(len(b)), uint16(len(b)-4))
	case score.FaultAddresses:
		was := binary.BigEndian.Uint16(wrong[18:])
		wrong[19] ^= 0x40
		adjust(wrong, 10, was, binary.BigEndian.Uint16(wrong[18:]))
	case score.FaultIDSeq:
		was := binary.BigEndian.Uint16(wrong[26:])
		binary.BigEndian.PutUint16(wrong[26:], was+1000)
		adjust(wrong, 22, was, was+1000)
	case score.FaultPayload:
		was := uint16(wrong[28]) << 8 // a single last byte is padded with zero, RFC 1071
		wrong[28] ^= 1
		adjust(wrong, 22, was, uint16(wrong[28])<<8)
	case score.FaultType:
		wrong[20] = 8
		adjust(wrong, 22, 0, 0x0800)
	case score.FaultDuplicate:
		return [][]byte{b, b}
	case score.FaultLost:
		return nil
	}
	return [][]byte{wrong}
}

// makeAll applies the mistake to all packets.
func (m mistake) makeAll(packets [][]byte) [][]byte {
	if m == "" {
		return packets
	}
	var all [][]byte
	for _, p := range packets {
		all = append(all, m.make(p)...)
	}
	return all
}

// adjust updates the checksum at offset at after a 16-bit word changed from was to
// is (RFC 1624, equation 3).
func adjust(b []byte, at int, was, is uint16) {
	sum := uint32(^binary.BigEndian.Uint16(b[at:])) + uint32(^was) + uint32(is)
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(b[at:], ^uint16(sum+sum>>16))
}

// answer returns the wrong reply to a packet that the agent should ignore, if the
// mistake is noise. It returns nil if the head answers the packet or if there is
// nothing to answer.
func (m mistake) answer(b []byte, own netip.Addr) []byte {
	if string(m) != score.FaultNoise || len(b) < 28 || b[0]>>4 != 4 || b[9] != 1 || b[20] != 8 {
		return nil
	}
	if dst, ok := netip.AddrFromSlice(b[16:20]); ok && dst == own && len(packet.Check(b)) == 0 && !slices.Contains([]byte{0, 127, 224, 255}, b[12]) {
		return nil // the head answers this one
	}
	r := bytes.Clone(b)
	copy(r[12:16], b[16:20])
	copy(r[16:20], b[12:16])
	r[20] = 0
	adjust(r, 22, 0x0800, 0)
	return r
}
