package score

import (
	"encoding/hex"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

// Ladder returns the first packets on the link, most at most, for the ladder diagram. Their
// times are relative to the first.
func Ladder(events []session.Event, most int) []Crossing {
	var start time.Time
	var ladder []Crossing
	for _, e := range events {
		if len(ladder) >= most {
			break
		}
		if e.Event != session.EventPacket {
			continue
		}
		if len(ladder) == 0 {
			start = e.Time
		}
		summary := e.Summary
		data, err := hex.DecodeString(e.Hex)
		if summary == "" && err == nil {
			summary = packet.Summary(data)
		}
		ladder = append(ladder, Crossing{Number: e.Number, At: Milliseconds(e.Time.Sub(start)),
			Direction: string(e.Direction), Bytes: len(data), Summary: summary, ReplyTo: e.ReplyTo})
	}
	return ladder
}

// Milliseconds returns d in milliseconds, the unit of durations in reports.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
