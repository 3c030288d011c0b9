package scenario

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"

	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/trial/traffic"
)

// checksum sends UDP datagrams without a checksum. The agent has to sum every word of
// its answer itself.
func checksum() Scenario {
	return Scenario{
		Name:    "checksum",
		About:   "UDP datagrams of 10 to 740 words to port 7, without a checksum",
		RFC:     "RFC 862, UDP echo; RFC 768, checksum; RFC 1071",
		Expect:  "each comes back unchanged, and with the right checksum",
		Program: true,
		CannotRun: func(status session.Status) string {
			if len(wordCounts(status.MTU)) == 0 {
				return "the link's MTU is too small for a datagram of 10 words"
			}
			return ""
		},
		Judge: judge.Echo,
		Run:   runChecksum,
		Note: func(exchanges []score.Exchange) string {
			fit, ok := score.FitSums(score.SumsOf(exchanges))
			if !ok {
				return ""
			}
			return fmt.Sprintf("words summed wrong: %s (95 %% interval %s to %s); only with assist none does the agent do the sums itself",
				perMille(fit.P), perMille(fit.Low), perMille(fit.High))
		},
	}
}

func perMille(p float64) string { return fmt.Sprintf("%.3g ‰", 1000*p) }

// wordCounts returns the sizes of the datagrams that fit the MTU, UDP header included,
// in 16-bit words.
func wordCounts(mtu int) (counts []int) {
	for _, words := range []int{10, 20, 40, 80, 160, 320, 740} {
		if 20+2*words <= mtu {
			counts = append(counts, words)
		}
	}
	return counts
}

func runChecksum(ctx context.Context, p *traffic.Peer) ([]judge.Request, error) {
	e, err := p.OpenEcho(ctx, false)
	if err != nil {
		return nil, err
	}
	counts := wordCounts(p.Status.MTU)
	for i := range p.Settings.Count {
		words := counts[i%len(counts)]
		data := p.Random(2*words - 8)
		// A socket of the peer receives the answer. Without one, the peer's stack would
		// reply to it with an ICMP error.
		var socket net.Conn
		if socket, err = p.Dial(ctx, "udp4", 7, 0); err != nil {
			break
		}
		err = e.Inject(ctx, fmt.Sprintf("%d words", words), unsummed(p, socket, data))
		socket.Close()
		if err != nil {
			break
		}
	}
	return e.Close(ctx, err)
}

// unsummed returns a datagram from a socket to port 7 with the checksum 0, which means
// none (RFC 768).
func unsummed(p *traffic.Peer, from net.Conn, data []byte) []byte {
	const udp, checksumAt = 17, 20 + 6
	header := make([]byte, 8, 8+len(data))
	if local, ok := from.LocalAddr().(*net.UDPAddr); ok {
		binary.BigEndian.PutUint16(header, uint16(local.Port))
	}
	binary.BigEndian.PutUint16(header[2:], 7)
	b := p.Craft(traffic.IPv4{Protocol: udp, Payload: append(header, data...)})
	b[checksumAt], b[checksumAt+1] = 0, 0
	return b
}
