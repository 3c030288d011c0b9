package tun_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// patience is how long a test waits for something that should happen at once.
const patience = 10 * time.Second

// read reads one packet from the device, with a time limit.
func read(t *testing.T, d tun.Device) []byte {
	t.Helper()
	type result struct {
		packet []byte
		err    error
	}
	done := make(chan result, 1)
	go func() {
		p := make([]byte, 65535)
		n, err := d.Read(p)
		done <- result{p[:n], err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			t.Fatalf("Read: %v", r.err)
		}
		return r.packet
	case <-time.After(patience):
		t.Fatal("no packet came")
		return nil
	}
}

// blockedRead starts a Read and returns a channel for its error. There is no way to know
// whether the Read has already reached the kernel.
func blockedRead(d tun.Device) <-chan error {
	started, done := make(chan struct{}), make(chan error, 1)
	go func() {
		close(started)
		_, err := d.Read(make([]byte, 65535))
		done <- err
	}()
	<-started
	return done
}

// wait returns the error from done, with a time limit.
func wait(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatal("the call hangs")
		return nil
	}
}

// ping runs command, which pings once, and answers the ping on d.
func ping(t *testing.T, d tun.Device, command *exec.Cmd) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		if out, err := command.CombinedOutput(); err != nil {
			done <- fmt.Errorf("%v: %w\n%s", command.Args, err, out)
			return
		}
		done <- nil
	}()
	if _, err := d.Write(reply(t, read(t, d))); err != nil {
		t.Fatalf("Write: %v", err)
	}
	if err := wait(t, done); err != nil {
		t.Fatal(err)
	}
}

// reply turns an echo request into the echo reply, in place (RFC 792, RFC 4443).
func reply(t *testing.T, p []byte) []byte {
	t.Helper()
	var source, destination, checksum []byte
	var delta int // the checksum gains what the type loses (RFC 1624)
	switch {
	case len(p) >= 28 && p[0] == 0x45 && p[9] == 1 && p[20] == 8:
		source, destination, checksum = p[12:16], p[16:20], p[22:24]
		p[20], delta = 0, 0x0800
	case len(p) >= 48 && p[0]>>4 == 6 && p[6] == 58 && p[40] == 128:
		source, destination, checksum = p[8:24], p[24:40], p[42:44]
		p[40], delta = 129, 0xffff-0x0100
	default:
		t.Fatalf("the peer sent %x, want an echo request", p)
	}
	for i, b := range slices.Clone(source) {
		source[i], destination[i] = destination[i], b
	}
	sum := int(binary.BigEndian.Uint16(checksum)) + delta
	binary.BigEndian.PutUint16(checksum, uint16(sum+sum>>16))
	return p
}

// again returns the command that starts this test binary in a role.
func again(t *testing.T, play string, wrapper ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	argv := append(wrapper, self)
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), role+"="+play)
	return cmd
}

// report is the output of the role "open".
type report struct {
	Link *tun.Link
	Err  string
}

// openConfig is the environment variable with the Config for the role "open".
const openConfig = "TUN_TEST_CONFIG"

func init() {
	// open opens a link, prints the result, and closes the link.
	roles["open"] = func() {
		var cfg tun.Config
		if err := json.Unmarshal([]byte(os.Getenv(openConfig)), &cfg); err != nil {
			panic(err)
		}
		var r report
		link, err := tun.Open(cfg)
		if err != nil {
			r.Err = err.Error()
		} else {
			link.Close()
			link.Device = nil
			r.Link = link
		}
		json.NewEncoder(os.Stdout).Encode(r)
	}
}

// openElsewhere opens a link in another process, started by wrapper.
func openElsewhere(t *testing.T, cfg tun.Config, wrapper ...string) report {
	t.Helper()
	cmd := again(t, "open", wrapper...)
	config, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, openConfig+"="+string(config))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return r
}

// ends waits for the end of the process behind pidfd, a child or not.
func ends(t *testing.T, pidfd int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int(time.Until(deadline).Milliseconds()))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			t.Fatal(err)
		case n == 0:
			t.Fatal("the process does not end")
		}
		return
	}
}

// reaped checks that there is no process pid, not even a zombie.
func reaped(t *testing.T, pid int) {
	t.Helper()
	if err := unix.Kill(pid, 0); err != unix.ESRCH {
		t.Errorf("process %d still exists (%v)", pid, err)
	}
}

// freeze stops the link's holder and waits until all its threads have stopped, since
// kill returns before the signal takes effect.
func freeze(t *testing.T, link *tun.Link) {
	t.Helper()
	tuntest.Signal(t, link.Holder, unix.SIGSTOP)
	for {
		err := unix.Waitid(unix.P_PID, link.Holder, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
		if err == nil {
			return
		}
		if err != unix.EINTR {
			t.Fatalf("wait for the holder to stop: %v", err)
		}
	}
}

// closed checks that err wraps os.ErrClosed and has text in it.
func closed(t *testing.T, err error, text string) {
	t.Helper()
	if !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v, want os.ErrClosed", err)
		return
	}
	contains(t, err.Error(), text)
}
