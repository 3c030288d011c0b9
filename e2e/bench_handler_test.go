package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// lasted matches the time that ping itself reports. Starting the programs around it
// takes longer.
var lasted = regexp.MustCompile(`, time (\d+)ms`)

// BenchmarkHandler compares examples/handlers/ping.star with a bare echo on the same
// kind of TUN. One run measures both by turns: the round trip of a flood ping, and
// packets a second with ten pings under way.
func BenchmarkHandler(b *testing.B) {
	tuntest.RequirePrivate(b)
	tuntest.RequireProgram(b, "ping")
	bare := tuntest.OpenPrivate(b, tun.Config{})
	go bareEcho(bare)
	c := startServer(b, legacyEra, "--network", "private", "--max-pps", "0", "--handler", "examples/handlers/ping.star")

	count := max(b.N, 1000) // ping reports whole milliseconds
	flags := func(more ...string) []string {
		return append(append([]string{"ping", "-q", "-f", "-c", strconv.Itoa(count)}, more...), "10.77.0.2")
	}
	rate := func(ping *exec.Cmd) float64 {
		b.Helper()
		ping.Env = append(os.Environ(), ping.Env...)
		out, err := ping.CombinedOutput()
		m, took := received.FindSubmatch(out), lasted.FindSubmatch(out)
		if m == nil || took == nil {
			b.Fatalf("ping: %v\n%s", err, out)
		}
		ms, err := strconv.Atoi(string(took[1]))
		if err != nil || ms == 0 {
			b.Fatalf("ping took %s ms: too few packets", took[1])
		}
		got, err := strconv.Atoi(string(m[1]))
		if err != nil || got < count-10 { // see BenchmarkBatches
			b.Fatalf("%d of %d packets were answered (%v)", got, count, err)
		}
		return float64(got) / float64(ms) * 1000
	}
	var bareTime, handlerTime, bareRate, handlerRate float64
	const rounds = 3
	for range rounds {
		bareTime += flood(b, tuntest.Exec(b, bare, flags()...))
		handlerTime += flood(b, c.command(append([]string{"exec", "--"}, flags()...)...))
		bareRate += rate(tuntest.Exec(b, bare, flags("-l", "10")...))
		handlerRate += rate(c.command(append([]string{"exec", "--"}, flags("-l", "10")...)...))
	}
	b.ReportMetric(bareTime/rounds*1000, "bare-µs")
	b.ReportMetric(handlerTime/rounds*1000, "handler-µs")
	b.ReportMetric(handlerTime/bareTime, "ratio")
	b.ReportMetric(bareRate/rounds, "bare-packets/s")
	b.ReportMetric(handlerRate/rounds, "handler-packets/s")
	b.ReportMetric(handlerRate/bareRate, "of-bare")
	b.ReportMetric(0, "ns/op")
}
