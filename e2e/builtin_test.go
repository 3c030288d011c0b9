package e2e

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/agent"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// builtin is a running `tun-mcp agent`.
type builtin struct {
	t       *testing.T
	process *exec.Cmd
	runtime string
	lines   chan string // lines of stdout; closed at its end
	printed string      // the lines taken from lines so far
	stderr  strings.Builder
}

// startBuiltin starts the agent and waits until it says that it is up.
func startBuiltin(t *testing.T, args ...string) *builtin {
	t.Helper()
	b := &builtin{t: t, process: exec.Command(program, append([]string{"agent"}, args...)...), runtime: tuntest.RuntimeDir(t), lines: make(chan string)}
	b.process.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+b.runtime)
	b.process.Stderr = &b.stderr
	stdout, err := b.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.process.Process.Kill() })
	go func() {
		defer close(b.lines)
		for lines := bufio.NewReader(stdout); ; {
			line, err := lines.ReadString('\n')
			select {
			case b.lines <- line:
			case <-t.Context().Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	b.await("is up")
	return b
}

// await takes lines until one contains what, or all lines if what is empty.
func (b *builtin) await(what string) {
	b.t.Helper()
	timeout := time.After(4 * patience)
	for {
		select {
		case line, ok := <-b.lines:
			b.printed += line
			if !ok && what != "" {
				b.t.Fatalf("the agent ended: %v\n%s%s", b.process.Wait(), b.printed, &b.stderr)
			}
			if !ok || what != "" && strings.Contains(line, what) {
				return
			}
		case <-timeout:
			b.t.Fatalf("waiting for %q; the agent printed\n%s", what, b.printed)
		}
	}
}

// command returns another invocation of the program that finds the agent's session. It
// is killed after patience.
func (b *builtin) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	b.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+b.runtime)
	return cmd
}

// interrupt ends the agent like Ctrl-C and returns everything that it printed.
func (b *builtin) interrupt() string {
	b.t.Helper()
	if err := b.process.Process.Signal(os.Interrupt); err != nil {
		b.t.Fatal(err)
	}
	return b.wait(0)
}

// wait waits until the agent ends and checks its exit status.
func (b *builtin) wait(status int) string {
	b.t.Helper()
	b.await("")
	err := b.process.Wait()
	if b.process.ProcessState.ExitCode() != status {
		b.t.Errorf("the agent ended with %v, want status %d; stderr:\n%s", err, status, &b.stderr)
	}
	return b.printed
}

// Ordinary programs on the peer, served only through read_packet and write_packet.
func TestBuiltinServesPrograms(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	for _, assist := range []string{"fix", "none"} {
		t.Run("assist "+assist, func(t *testing.T) {
			t.Parallel()
			b := startBuiltin(t, "-q", "--network", "private", "--addr6", "2001:db8:77::1/64", "--assist", assist)
			for _, test := range []struct {
				command string
				want    string // a pattern
			}{
				// Only one request: ping would wait just two round trips for the reply
				// to a later one.
				{"ping -q -c 1 -W 20 10.77.0.2", " 0% packet loss"},
				{"ping -q -c 1 -W 20 2001:db8:77::2", " 0% packet loss"},
				{"ping -q -c 1 -W 20 -s 4000 10.77.0.2", " 0% packet loss"}, // fragments
				{"curl -sS http://10.77.0.2/", "^Hello from 10.77.0.2"},
				{"curl -sS http://[2001:db8:77::2]/", "^Hello from 10.77.0.2"},
				{"dig +timeout=20 +short @10.77.0.2 agent.test", `^10\.77\.0\.2\n$`},
				{"dig +timeout=20 +short @10.77.0.2 agent.test AAAA", "^2001:db8:77::2\n$"},
				{"dig +timeout=20 +tcp @2001:db8:77::2 other.test", "status: NXDOMAIN"},
				{"nc -N -w 20 10.77.0.2 7", "^hello, agent\n$"},
				{"nc -u -W 1 -w 20 10.77.0.2 7", "^hello, agent\n$"},
				{"traceroute -w 20 10.77.0.2", `(?m)^ 1  10\.77\.0\.2 .* ms .* ms .* ms$`},
			} {
				argv := strings.Fields(test.command)
				t.Run(argv[0], func(t *testing.T) {
					tuntest.RequireProgram(t, argv[0])
					cmd := b.command(append([]string{"exec", "--"}, argv...)...)
					cmd.Stdin = strings.NewReader("hello, agent\n")
					out, err := cmd.CombinedOutput()
					if err != nil || !regexp.MustCompile(test.want).Match(out) {
						t.Errorf("%s: %v\n%s\nwant %q", test.command, err, out, test.want)
					}
				})
			}
			b.interrupt()
			if got := b.stderr.String(); got != "" {
				t.Errorf("the agent complained: %s", got)
			}
		})
	}
}

func TestBuiltinAnswersFlood(t *testing.T) {
	count := tuntest.Long("1000", "10000")
	want := count + " packets transmitted, " + count + " received, 0% packet loss"
	networks(t, func(t *testing.T, network string) {
		command := "ping -q -f -c " + count
		if network == "private" { // the kernel's own ping
			tuntest.RequireProgram(t, "ping")
			command = "exec -- " + command + " 10.77.0.2"
		}
		b := startBuiltin(t, "-q", "--network", network)
		out, err := b.command(strings.Fields(command)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%v\n%s\nwant %s", err, out, want)
		}
		t.Logf("%s", out)
		if printed := b.interrupt(); !strings.Contains(printed, "\nagent ended: "+count+" packets read, "+count+" written in ") {
			t.Errorf("the end is\n%s", printed)
		}
	})
}

// A download through the tools arrives unchanged.
func TestBuiltinDownload(t *testing.T) {
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "curl")
	size := tuntest.Long[int64](5_000_000, 50_000_000)
	b := startBuiltin(t, "-q", "--network", "private")
	curl := b.command("exec", "--", "curl", "-sS", "--fail", fmt.Sprintf("http://10.77.0.2/bytes?n=%d", size))
	var complaint strings.Builder
	curl.Stderr = &complaint
	got, want := sha256.New(), sha256.New()
	curl.Stdout = got
	began := time.Now()
	if err := curl.Run(); err != nil {
		t.Fatalf("curl: %v\n%s", err, &complaint)
	}
	t.Logf("%.1f MB/s", float64(size)/1e6/time.Since(began).Seconds())
	if _, err := io.Copy(want, agent.Bytes(size)); err != nil {
		t.Fatal(err)
	}
	if g, w := fmt.Sprintf("%x", got.Sum(nil)), fmt.Sprintf("%x", want.Sum(nil)); g != w {
		t.Errorf("the download's SHA-256 is %s, want %s", g, w)
	}
	b.interrupt()
}

func TestBuiltinPrintsPackets(t *testing.T) {
	t.Parallel()
	networks(t, func(t *testing.T, network string) {
		t.Parallel()
		b := startBuiltin(t, "--network", network, "--ping", "2", "--session", "shown")
		printed := b.wait(0)
		for _, want := range []string{
			"^agent at 10.77.0.2 is up: session shown, " + network + " network, peer 10.77.0.1/24\n",
			`(?m)^read  #1 84 bytes: IPv4 10.77.0.1 > 10.77.0.2 ICMP echo request id \d+ seq 1, checksums ok$`,
			`(?m)^write #2 84 bytes: IPv4 10.77.0.2 > 10.77.0.1 ICMP echo reply id \d+ seq 1, checksums ok, [0-9.]+ s after #1$`,
			"(?m)^64 bytes from 10.77.0.2: icmp_seq=2 ",
			"(?m)^2 packets transmitted, 2 received",
			`\nagent ended: 2 packets read, 2 written in \d+ calls, median response time [0-9.]+ ms\n$`,
		} {
			if !regexp.MustCompile(want).MatchString(printed) {
				t.Errorf("%q is not in\n%s", want, printed)
			}
		}
	})
}

func TestBuiltinFailsWithWords(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"a bad flag":   {[]string{"--assist", "some"}, 2, `--assist "some": unknown; use none, check or fix`},
		"a bad number": {[]string{"--ping", "-1"}, 2, "--ping -1: accepted is"},
		"what only the server knows to be bad": {[]string{"--record", "/dev/null/x.pcapng"}, 1,
			": it ended before it answered (the MCP server failed (exit status 1); it said why on stderr)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(program, append([]string{"agent"}, test.args...)...)
			cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != test.status || !strings.Contains(string(out), test.want) {
				t.Errorf("%v, status %d\n%s\nwant %d and %q", err, cmd.ProcessState.ExitCode(), out, test.status, test.want)
			}
		})
	}
}
