package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// BenchmarkRoundTrip measures a ratio: the round trip of a flood ping over the whole
// MCP path (kernel, TUN, server, stdio, scripted agent, and back, one call a packet)
// against that of a bare echo on the same kind of TUN. One run measures both by turns.
// Each figure is ping's own average.
func BenchmarkRoundTrip(b *testing.B) {
	tuntest.RequirePrivate(b)
	tuntest.RequireProgram(b, "ping")
	bare := tuntest.OpenPrivate(b, tun.Config{})
	go bareEcho(bare)
	dir := tuntest.RuntimeDir(b)
	startEchoer(b, dir)

	var bareTime, pathTime float64
	rounds := 0
	count := strconv.Itoa(max(b.N, 10))
	for range 3 {
		bareTime += flood(b, tuntest.Exec(b, bare, "ping", "-q", "-f", "-c", count, "10.77.0.2"))
		path := exec.Command(program, "exec", "--", "ping", "-q", "-f", "-c", count, "10.77.0.2")
		path.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
		pathTime += flood(b, path)
		rounds++
	}
	b.ReportMetric(bareTime/float64(rounds)*1000, "bare-µs")
	b.ReportMetric(pathTime/float64(rounds)*1000, "mcp-µs")
	b.ReportMetric(pathTime/bareTime, "ratio")
	b.ReportMetric(0, "ns/op")
}

var (
	received = regexp.MustCompile(`(\d+) received`)
	average  = regexp.MustCompile(`rtt min/avg/max/mdev = [\d.]+/([\d.]+)/`)
)

// flood runs a ping and returns its average round trip in milliseconds.
func flood(b *testing.B, ping *exec.Cmd) float64 {
	b.Helper()
	out, err := ping.CombinedOutput()
	m := average.FindSubmatch(out)
	if err != nil || m == nil {
		b.Fatalf("ping: %v\n%s", err, out)
	}
	ms, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return ms
}

// bareEcho answers echo requests on a device as directly as possible.
func bareEcho(d tun.Device) {
	p := make([]byte, 65535)
	for {
		n, err := d.Read(p)
		if err != nil {
			return
		}
		answerInPlace(p[:n])
		if _, err := d.Write(p[:n]); err != nil {
			return
		}
	}
}

func answerInPlace(p []byte) {
	var src [4]byte
	copy(src[:], p[12:16])
	copy(p[12:16], p[16:20])
	copy(p[16:20], src[:])
	p[20] = 0
	sum := uint32(p[22])<<8 | uint32(p[23])
	sum += 0x0800
	sum += sum >> 16
	p[22], p[23] = byte(sum>>8), byte(sum)
}

// echoer is a scripted agent that costs as little as possible. It parses only the JSON
// that it needs, so the benchmark measures the path and not the agent.
type echoer struct {
	in  io.WriteCloser
	out *bufio.Reader
	id  int
}

// startEchoer starts a server in dir and the agent on its link.
func startEchoer(b *testing.B, dir string) {
	b.Helper()
	server := exec.Command(program, "--network", "private", "--log-level", "error")
	server.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
	in, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	e := &echoer{in: in, out: bufio.NewReaderSize(out, 64<<10)}
	// The first call returns at once. Then the session is up.
	e.call("read_packet", `{"timeout_ms":0}`)
	done := make(chan struct{})
	go func() { defer close(done); e.run() }()
	b.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		<-done
		_ = server.Wait()
	})
}

// run answers one packet a call until the server ends.
func (e *echoer) run() {
	const then = `{"timeout_ms":5000,"max_packets":1,"settle_ms":0,"max_bytes":32}`
	result := e.call("read_packet", then)
	for result != nil {
		if reply := e.patch(result); reply != "" {
			result = e.call("write_packet", `{"packets":[`+reply+`],"then_read":`+then+`}`)
		} else {
			result = e.call("read_packet", then)
		}
	}
}

// call calls a tool and returns the line with the answer, or nil if the server has
// ended.
func (e *echoer) call(tool, arguments string) []byte {
	e.id++
	if _, err := fmt.Fprintf(e.in, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`+"\n", e.id, tool, arguments); err != nil {
		return nil
	}
	line, err := e.out.ReadSlice('\n')
	if err != nil {
		return nil
	}
	return line
}

func (e *echoer) patch(result []byte) string {
	waited := bytes.Index(result, []byte(" bytes, waited "))
	if waited < 0 {
		return ""
	}
	number := result[bytes.LastIndexByte(result[:waited], '#')+1:]
	number = number[:bytes.IndexByte(number, ' ')]
	zero := bytes.Index(result[waited:], []byte(`\n0: `))
	sixteen := bytes.Index(result[waited:], []byte(`\n16: `))
	if zero < 0 || sixteen < 0 {
		return ""
	}
	first, second := result[waited+zero+5:], result[waited+sixteen+6:]
	sum, err := strconv.ParseUint(string(second[15:19]), 16, 32)
	if err != nil {
		return ""
	}
	sum += 0x0800
	sum += sum >> 16
	return fmt.Sprintf(`{"reply_to":%s,"patch":{"12":"%s%s","20":"00","22":"%04x"}}`, number, second[:9], first[30:39], sum&0xffff)
}

// BenchmarkBatches measures packets a second with ten pings under way and an agent that
// answers up to ten a call.
func BenchmarkBatches(b *testing.B) {
	tuntest.RequirePrivate(b)
	tuntest.RequireProgram(b, "ping")
	c := startServer(b, legacyEra, "--network", "private")
	agent := &scripted{c: c, batch: 10}
	done := make(chan struct{})
	go func() { agent.run(); close(done) }()
	count := max(b.N, 100)
	ping := c.command("exec", "--", "ping", "-q", "-f", "-l", "10", "-c", strconv.Itoa(count), "10.77.0.2")
	start := time.Now()
	out, err := ping.CombinedOutput()
	took := time.Since(start)
	<-done // it ends when no more packets come
	m := received.FindSubmatch(out)
	if err != nil || m == nil {
		b.Fatalf("ping: %v\n%s", err, out)
	}
	// After its last request ping waits only two round trips, so the last few replies
	// may come too late. They count as lost here.
	got, err := strconv.Atoi(string(m[1]))
	if err != nil || got < count-10 {
		b.Fatalf("%d of %d packets were answered (%v)", got, count, err)
	}
	b.ReportMetric(float64(got)/took.Seconds(), "packets/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkUnreadFlood reports the server's memory before and after a flood that nobody
// reads. 6000x is a minute of ping -f, which sends 100 a second when no replies come.
func BenchmarkUnreadFlood(b *testing.B) {
	tuntest.RequirePrivate(b)
	tuntest.RequireProgram(b, "ping")
	c := startServer(b, legacyEra, "--network", "private")
	before := float64(processStatus(b, c.process.Process.Pid, "VmRSS")) / 1024
	seconds := strconv.Itoa(max(b.N/100, 1))
	out, err := c.command("exec", "--", "ping", "-q", "-f", "-s", "1400", "-w", seconds, "10.77.0.2").CombinedOutput()
	if !bytes.Contains(out, []byte(" 0 received")) {
		b.Fatalf("ping: %v\n%s", err, out)
	}
	b.ReportMetric(before, "MiB-before")
	b.ReportMetric(float64(processStatus(b, c.process.Process.Pid, "VmRSS"))/1024, "MiB-after")
	b.ReportMetric(0, "ns/op")
}

// processStatus returns a number from /proc/PID/status. Memory is in KiB.
func processStatus(t testing.TB, pid int, field string) (number uint64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "\n"+field+":")
	if _, err := fmt.Sscan(after, &number); err != nil {
		t.Fatalf("%s of process %d: %v", field, pid, err)
	}
	return number
}
