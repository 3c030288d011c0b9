package judge

import (
	"fmt"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// judgeQuotes compares the quotes in the ICMP errors of an exchange with the packets that
// caused them.
func (c *programCase) judgeQuotes(j *journal, f *findings) {
	for i := range c.written {
		w := &c.written[i]
		if _, isError := quotedIn(&w.datagram); !isError {
			continue
		}
		about := j.packets[c.trigger(j, w)]
		if kind, detail := misquoted(w.body[8:], &about.datagram); kind != "" && !c.quotes(j, w) {
			f.add(kind, "#%d %s", w.Number, detail)
		}
	}
}

// quotes reports whether an ICMP error quotes any packet of the exchange correctly.
func (c *programCase) quotes(j *journal, w *crossed) bool {
	for number := range c.triggers {
		p := j.packets[number]
		if kind, _ := misquoted(w.body[8:], &p.datagram); kind == "" {
			return true
		}
	}
	return false
}

// misquoted returns what is wrong with a quote of p, or "" if nothing is. A quote must
// have the header and at least 8 more bytes, unchanged (RFC 1122 section 3.2.2, RFC 4443
// section 2.4), except for the TTL or hop limit and the header checksum, which routers
// change.
func misquoted(quote []byte, p *datagram) (kind, detail string) {
	if least := min(len(p.data)-len(p.body)+8, len(p.data)); len(quote) < least {
		return score.FaultLength, fmt.Sprintf("quotes %d bytes, at least %d are needed", len(quote), least)
	}
	for i := range min(len(quote), len(p.data)) {
		free := p.version == 4 && (i == 8 || i == 10 || i == 11) || p.version == 6 && i == 7
		if !free && quote[i] != p.data[i] {
			return score.FaultPayload, fmt.Sprintf("quotes 0x%02x at offset %d, should be 0x%02x", quote[i], i, p.data[i])
		}
	}
	return "", ""
}
