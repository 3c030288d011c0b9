package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// networks runs a test on each network that needs no privilege.
func networks(t *testing.T, test func(t *testing.T, network string)) {
	for _, network := range []string{"private", "memory"} {
		t.Run(network, func(t *testing.T) {
			if network == "private" {
				tuntest.RequirePrivate(t)
			}
			test(t, network)
		})
	}
}

// peers runs a test with each kind of peer at the same time: the kernel and netstack.
func peers(t *testing.T, test func(t *testing.T, c *client)) {
	networks(t, func(t *testing.T, network string) {
		t.Parallel()
		if network == "private" {
			tuntest.RequireProgram(t, "nsenter")
		}
		test(t, startServer(t, modernEra, "--network", network, "--addr6", "2001:db8:77::1/64"))
	})
}

// pinging is a running `tun-mcp ping`.
type pinging struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, err bytes.Buffer
	done     chan int // its exit status
}

func startPing(t *testing.T, c *client, args ...string) *pinging {
	t.Helper()
	p := &pinging{t: t, cmd: c.command(append([]string{"ping"}, args...)...), done: make(chan int, 1)}
	p.start(c)
	return p
}

func (p *pinging) start(c *client, env ...string) {
	p.t.Helper()
	p.cmd.Env = append(append(os.Environ(), "XDG_RUNTIME_DIR="+c.runtime), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { p.cmd.Process.Kill() })
	go func() {
		p.cmd.Wait()
		p.done <- p.cmd.ProcessState.ExitCode()
	}()
}

// want waits for the end and checks exit status, stdout and stderr.
func (p *pinging) want(status int, out, err string) {
	p.t.Helper()
	select {
	case got := <-p.done:
		if got != status || !regexp.MustCompile(out).Match(p.out.Bytes()) || !regexp.MustCompile(err).Match(p.err.Bytes()) {
			p.t.Errorf("%q: exit status %d, want %d\nstdout %q\nwant   %s\nstderr %q\nwant   %s", p.cmd.Args[1:], got, status, p.out.String(), out, p.err.String(), err)
		}
	case <-time.After(patience):
		p.t.Errorf("%q did not end in %v", p.cmd.Args[1:], patience)
	}
}

// statistics matches the last lines, which are those of iputils' ping.
func statistics(agent, packets, loss string) string {
	const ms = `\d+\.\d{3}`
	return `\n--- ` + regexp.QuoteMeta(agent) + ` ping statistics ---
` + packets + `, ` + loss + `% packet loss, time \d+ms
(rtt min/avg/max/mdev = ` + ms + `/` + ms + `/` + ms + `/` + ms + ` ms)?(, )?(pipe \d+)?(, ipg/ewma ` + ms + `/` + ms + ` ms)?
$`
}

func TestPingCommand(t *testing.T) {
	t.Parallel()
	peers(t, func(t *testing.T, c *client) {
		for _, test := range []struct {
			args []string
			want string
		}{
			{[]string{"-c", "20", "-i", "0.01"}, `^PING 10\.77\.0\.2 \(10\.77\.0\.2\) 56\(84\) bytes of data\.
(64 bytes from 10\.77\.0\.2: icmp_seq=\d+ ttl=64 time=[\d.]+ ms
){20}` + statistics("10.77.0.2", "20 packets transmitted, 20 received", "0")},
			{[]string{"-qf", "-c500", "10.77.0.2"}, `^PING .*\n` + statistics("10.77.0.2", "500 packets transmitted, 500 received", "0")},
			{[]string{"-f", "-c3"}, "^PING .*\n\\.[.\b ]*\b \b" + statistics("10.77.0.2", "3 packets transmitted, 3 received", "0")},
			{[]string{"-c1", "-s0"}, `^PING 10\.77\.0\.2 \(10\.77\.0\.2\) 0\(28\) bytes of data\.
8 bytes from 10\.77\.0\.2: icmp_seq=1 ttl=64 time=[\d.]+ ms
` + statistics("10.77.0.2", "1 packets transmitted, 1 received", "0")},
		} {
			t.Run(strings.Join(test.args, " "), func(t *testing.T) {
				p := startPing(t, c, test.args...)
				(&scripted{c: c, batch: 10}).run()
				p.want(0, test.want, "^$")
			})
		}
	})
}

// If nsenter is not installed, the server sends the pings.
func TestPingCommandWithoutNsenter(t *testing.T) {
	t.Parallel()
	tuntest.RequirePrivate(t)
	c := startServer(t, modernEra, "--network", "private")
	p := &pinging{t: t, cmd: c.command("ping", "-c1", "-W60"), done: make(chan int, 1)}
	p.start(c, "PATH=/nowhere")
	(&scripted{c: c, batch: 1}).run()
	p.want(0, `64 bytes from 10\.77\.0\.2: icmp_seq=1 ttl=64 time=`, "^$")
}

// A host network inside a private one. This machine's own is not touched.
func TestPingCommandHost(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		tuntest.Unmet(t, errors.New("only Linux has the host network"))
	}
	link := tuntest.OpenPrivate(t, tun.Config{})
	c := startProgram(t, modernEra, tuntest.Exec(t, link, program, "--network", "host", "--addr", "192.0.2.1/24"))
	p := &pinging{t: t, cmd: tuntest.Exec(t, link, program, "ping", "-c1", "-W60"), done: make(chan int, 1)}
	p.start(c)
	(&scripted{c: c, batch: 1}).run()
	p.want(0, "64 bytes from 192.0.2.2: icmp_seq=1 ttl=64 time=", "^$")
}

var echoRequest = regexp.MustCompile(`(?m)^#(\d+) .*echo request`)

// nextRequest returns the number of the next echo request that the agent reads.
func nextRequest(t *testing.T, c *client) string {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		text, _ := c.tool("read_packet", `{"timeout_ms":1000,"max_packets":1}`)
		if m := echoRequest.FindStringSubmatch(text); m != nil {
			return m[1]
		}
	}
	t.Fatal("no echo request came")
	return ""
}

func TestPingCommandIPv6(t *testing.T) {
	t.Parallel()
	const swapped = "20010db8007700000000000000000002 20010db8007700000000000000000001"
	peers(t, func(t *testing.T, c *client) {
		for _, args := range [][]string{{"-6"}, {"2001:db8:77::2"}} {
			p := startPing(t, c, append(args, "-c1", "-W60")...)
			text, failed := c.tool("write_packet", fmt.Sprintf(`{"packets":[{"reply_to":%s,"patch":{"8":%q,"40":"81"}}],"assist":"fix"}`, nextRequest(t, c), swapped))
			if failed {
				t.Error(text)
			}
			p.want(0, `^PING 2001:db8:77::2 \(2001:db8:77::2\) 56 data bytes
64 bytes from 2001:db8:77::2: icmp_seq=1 ttl=64 time=[\d.]+ ms
`+statistics("2001:db8:77::2", "1 packets transmitted, 1 received", "0"), "^$")
		}
	})
}

// ping names the agent's mistakes.
func TestPingCommandNamesFaults(t *testing.T) {
	t.Parallel()
	peers(t, func(t *testing.T, c *client) {
		p := startPing(t, c, "-c1", "-W60")
		n := nextRequest(t, c)
		write := func(patch, assist string) {
			if text, failed := c.tool("write_packet", fmt.Sprintf(`{"packets":[{"reply_to":%s,"patch":{"12":"0a4d00020a4d0001","20":"00",%s}}],"assist":%q}`, n, patch, assist)); failed {
				t.Error(text)
			}
		}
		write(`"22":"1234"`, "none")
		write(`"27":"09"`, "fix")
		write(`"50":"00"`, "fix")
		bad, corrupted := "", ""
		if strings.HasSuffix(t.Name(), "private") { // the kernel passes it to a raw socket, netstack drops it
			bad, corrupted = `64 bytes from 10\.77\.0\.2: icmp_seq=1 ttl=64 time=[\d.]+ ms \(BAD CHECKSUM!\)\n`, `, \+1 corrupted`
		}
		p.want(0, `data\.\n`+bad+`64 bytes from 10\.77\.0\.2: icmp_seq=9 ttl=64 \(NEVER SENT!\)
64 bytes from 10\.77\.0\.2: icmp_seq=1 ttl=64 time=[\d.]+ ms
wrong data byte #22 should be 0x16 but was 0x0
#0	.*
#32	.*
`+statistics("10.77.0.2", "1 packets transmitted, 1 received"+corrupted+`, \+1 errors`, "0"), "^$")
	})
}

func TestPingCommandLongest(t *testing.T) {
	t.Parallel()
	peers(t, func(t *testing.T, c *client) {
		for _, args := range [][]string{{"-s65507"}, {"-6", "-s65527"}} {
			p := startPing(t, c, append(args, "-c1", "-W0.2", "-q")...)
			p.want(1, "1 packets transmitted, 0 received, 100% packet loss", "^ping: no reply yet: is the agent reading\\?.*\n$")
		}
	})
}

func TestPingCommandEnds(t *testing.T) {
	t.Parallel()
	peers(t, func(t *testing.T, c *client) {
		t.Run("silent agent", func(t *testing.T) {
			startPing(t, c, "-c2", "-i0.01", "-W0.1").want(1, `data\.\n`+statistics("10.77.0.2", "2 packets transmitted, 0 received", "100"),
				`^ping: no reply yet: is the agent reading\?.*\n$`)
			nextRequest(t, c)
			nextRequest(t, c)
		})
		t.Run("interrupt", func(t *testing.T) {
			if runtime.GOOS == "windows" {
				tuntest.Unmet(t, errors.New("Windows has no interrupt for one process"))
			}
			p := startPing(t, c, "-i30", "-W60")
			nextRequest(t, c)
			if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			p.want(1, statistics("10.77.0.2", "1 packets transmitted, 0 received", "100"), "no reply yet")
		})
		t.Run("session ends", func(t *testing.T) {
			p := startPing(t, c, "-i30", "-W60")
			nextRequest(t, c)
			c.stdin.Close()
			p.want(2, statistics("10.77.0.2", "1 packets transmitted, 0 received", "100"), `^tun-mcp: ping: session \w+ has ended: its server (was stopped|is gone)\n$`)
		})
		t.Run("no session", func(t *testing.T) {
			<-c.closed
			c.process.Wait()
			startPing(t, c).want(2, "^$", "^tun-mcp: no tun-mcp session is running; start .*\n$")
		})
	})
}

// A server that is killed cannot say anything.
func TestPingCommandServerKilled(t *testing.T) {
	t.Parallel()
	peers(t, func(t *testing.T, c *client) {
		p := startPing(t, c, "-i30", "-W60")
		nextRequest(t, c)
		c.process.Process.Kill()
		p.want(2, statistics("10.77.0.2", "1 packets transmitted, 0 received", "100"), `^tun-mcp: ping: session \w+ has ended: its server is gone\n$`)
	})
}

func TestPingCommandAmongSeveralSessions(t *testing.T) {
	t.Parallel()
	old := startServer(t, modernEra, "--network", "memory", "--session", "old")
	// The socket of a dead session is removed.
	dead := filepath.Join(old.runtime, "tun-mcp", "dead.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	listener.Close()
	startPing(t, old, "-c1", "-W0.1").want(1, "^PING 10.77.0.2 ", "^ping: no reply yet: .*\n$")
	if _, err := os.Lstat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket of a dead session is still there (%v)", err)
	}

	other := exec.Command(program, "--network", "memory", "--session", "new", "--addr", "192.0.2.1/24")
	other.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+old.runtime)
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { stdin.Close(); other.Wait() }()
	socket := filepath.Join(old.runtime, "tun-mcp", "new.sock")
	until(t, "the new session answers", func() bool {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	startPing(t, old, "-c1", "-W0.1").want(2, "^$", `^tun-mcp: 2 sessions are running: new, old \(newest first\); choose one with --session NAME\n$`)
	startPing(t, old, "-c1", "-W0.1", "--session", "old").want(1, "^PING 10.77.0.2 ", "^ping: no reply yet")
	startPing(t, old, "--session", "dead").want(2, "^$", `^tun-mcp: no session is named "dead"; running: new, old\n$`)
}

func TestPingCommandRefuses(t *testing.T) {
	t.Parallel()
	c := startServer(t, modernEra, "--network", "memory")
	with6 := startServer(t, modernEra, "--network", "memory", "--addr6", "2001:db8:77::1/64")
	for _, test := range []struct {
		c    *client
		args []string
		want string
	}{
		{c, []string{"10.77.0.1"}, `10\.77\.0\.1 is not an address of the agent; in session \w+ the agent has 10\.77\.0\.2`},
		{with6, []string{"192.0.2.7"}, `the agent has 10\.77\.0\.2 and 2001:db8:77::2`},
		{c, []string{"-6"}, `-6: IPv6 is off in session \w+: start the server with --addr6 2001:db8:77::1/64`},
		{with6, []string{"-6", "10.77.0.2"}, "-6 with the IPv4 address 10.77.0.2: leave out one of the two"},
		{c, []string{"agent"}, `"agent" is not an IP address: accepted is one of the agent's`},
		{c, []string{"10.77.0.2", "10.77.0.3"}, "got 2 addresses; accepted is one"},
		{c, []string{"-s", "65508"}, `-s "65508": accepted are 0 to 65507 bytes`},
		{with6, []string{"-6", "-s", "65528"}, `-s "65528": accepted are 0 to 65527 bytes`},
		{c, []string{"-s", "-1"}, `-s "-1": accepted are 0 to 65507 bytes`},
		{c, []string{"-s", "many"}, `-s "many": accepted are 0 to 65507 bytes`},
		{c, []string{"-c", "0"}, `-c "0": accepted is a number of requests, 1 or more`},
		{c, []string{"-i", "-1"}, `-i "-1": accepted is a time in seconds`},
		{c, []string{"-W", "NaN"}, `-W "NaN": accepted is a time in seconds`},
		{c, []string{"-z"}, "unknown shorthand flag: 'z' in -z; .tun-mcp ping --help. lists"},
		{c, []string{"--session", "a/b"}, `session name "a/b": accepted are`},
		{c, []string{"--session", "nobody"}, `no session is named "nobody"; running: \w+`},
	} {
		startPing(t, test.c, test.args...).want(2, "^$", "^tun-mcp: .*"+test.want)
	}
}
