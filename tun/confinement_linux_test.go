package tun_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// The role "reach" gets these.
const (
	reachFolder = "TUN_TEST_FOLDER" // environment variable: an empty folder
	reachHost   = 3                 // descriptor: the host's network namespace
)

func init() {
	// reach has all rights in a holder's namespaces and tries things that need
	// rights, also outside the network in them, and prints the results. It tries
	// only things that do no harm.
	roles["reach"] = func() {
		folder := os.Getenv(reachFolder)
		var name unix.Utsname
		var now unix.Timespec
		if err := errors.Join(unix.Uname(&name), unix.ClockGettime(unix.CLOCK_REALTIME, &now)); err != nil {
			panic(err)
		}
		for _, try := range []struct {
			what string
			do   func() error
		}{
			{"open a packet socket", func() error { _, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM, 0); return err }},
			{"enter the host's network", func() error { return unix.Setns(reachHost, unix.CLONE_NEWNET) }},
			{"set the host's name", func() error { return unix.Sethostname([]byte(unix.ByteSliceToString(name.Nodename[:]))) }},
			{"set the clock", func() error { return unix.ClockSettime(unix.CLOCK_REALTIME, &now) }},
			{"mount", func() error { return unix.Mount("none", folder, "tmpfs", 0, "") }},
			{"make a device", func() error { return unix.Mknod(folder+"/null", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))) }},
		} {
			if err := try.do(); err != nil {
				fmt.Printf("%s: %v\n", try.what, err)
			} else {
				fmt.Printf("%s: done\n", try.what)
			}
		}
	}
}

// startUnprivileged starts the role "server" as a user without any capability, whoever
// runs the test: in a user namespace in which the user is not root.
func startUnprivileged(t *testing.T) (server, holder int) {
	t.Helper()
	tuntest.RequirePrivate(t)
	cmd := again(t, "server")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 1000, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 1000, HostID: os.Getegid(), Size: 1}},
	}
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not open its link: %v", err)
	}
	if holder, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid, holder
}

var capabilitySet = regexp.MustCompile(`(?m)^Cap(Inh|Prm|Eff|Amb):\s+([0-9a-f]{16})$`)

// capabilities returns the capability sets of a thread, by their names in /proc.
func capabilities(t *testing.T, status string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(status)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range capabilitySet.FindAllStringSubmatch(string(text), -1) {
		all[m[1]] = m[2]
	}
	if len(all) != 4 {
		t.Fatalf("%s has the sets %v", status, all)
	}
	return all
}

func namespace(t *testing.T, process any, kind string) string {
	t.Helper()
	to, err := os.Readlink(fmt.Sprintf("/proc/%v/ns/%s", process, kind))
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// A server opens a private network without any capability, has none afterwards, and
// stays in the host's network.
func TestServerHasNoCapability(t *testing.T) {
	server, _ := startUnprivileged(t)
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", server))
	if err != nil || len(threads) == 0 {
		t.Fatalf("threads %v, %v", threads, err)
	}
	for _, thread := range threads {
		for name, set := range capabilities(t, thread) {
			if set != "0000000000000000" {
				t.Errorf("%s: Cap%s is %s", thread, name, set)
			}
		}
	}
	if got, want := namespace(t, server, "net"), namespace(t, "self", "net"); got != want {
		t.Errorf("the server is in %s, want the host's %s", got, want)
	}
}

// The holder has every capability in its own user and network namespaces, in which only
// one user is mapped, and none outside.
func TestHolderHasNoCapabilityOutside(t *testing.T) {
	server, holder := startUnprivileged(t)
	inspectHolder(t, holder)
	for _, kind := range []string{"user", "net"} {
		if its, ours := namespace(t, holder, kind), namespace(t, server, kind); its == ours {
			t.Errorf("the holder is in its server's %s", ours)
		}
	}
	for name, own := range map[string]int{"uid_map": os.Geteuid(), "gid_map": os.Getegid()} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", holder, name))
		if got := strings.Fields(string(text)); err != nil || strings.Join(got, " ") != fmt.Sprintf("0 %d 1", own) {
			t.Errorf("%s is %v, %v; want only this user", name, got, err)
		}
	}
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/setgroups", holder)); err != nil || string(text) != "deny\n" {
		t.Errorf("setgroups is %q, %v", text, err)
	}

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := tuntest.Exec(t, &tun.Link{Network: tun.NetworkPrivate, Holder: holder}, self)
	cmd.Env = append(os.Environ(), role+"=reach", reachFolder+"="+t.TempDir())
	host, err := os.Open("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	cmd.ExtraFiles = []*os.File{host} // 3
	out, err := cmd.CombinedOutput()
	want := "open a packet socket: done\n" // it has rights in its own namespace
	for _, what := range []string{"enter the host's network", "set the host's name", "set the clock", "mount", "make a device"} {
		want += what + ": operation not permitted\n"
	}
	if err != nil || string(out) != want {
		t.Errorf("%v; with the holder's rights:\n%swant\n%s", err, out, want)
	}
}
