package tun_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

func init() {
	// server opens a private link, prints the holder's process id, and runs until
	// it is killed.
	roles["server"] = func() {
		link, err := tun.Open(tun.Config{Network: "private"})
		if err != nil {
			panic(err)
		}
		fmt.Println(link.Holder)
		for {
			if _, err := link.Read(make([]byte, 65535)); err != nil {
				panic(err)
			}
		}
	}
}

func TestKilledServerLeavesNoHolder(t *testing.T) {
	tuntest.RequirePrivate(t)
	server := again(t, "server")
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	// A careless child would inherit this descriptor from the server.
	ours, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	server.ExtraFiles = []*os.File{theirs}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	holder, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	pidfd, err := unix.PidfdOpen(holder, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)

	inspectHolder(t, holder)

	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	server.Wait()
	ends(t, pidfd)
	if _, err := ours.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("reading the inherited pipe returned %v, want io.EOF", err)
	}
}

// inspectHolder checks that a holder has nothing from its server: no pipe, environment
// or working folder.
func inspectHolder(t *testing.T, pid int) {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d", pid)
	// The holder closes descriptors right after it has sent them.
	stderr := func() string {
		to, _ := os.Readlink(proc + "/fd/2")
		return to
	}
	for deadline := time.Now().Add(patience); strings.HasPrefix(stderr(), "pipe:") && time.Now().Before(deadline); {
		runtime.Gosched() // it closes its first pipe after it has answered
	}
	for deadline := time.Now().Add(patience); openSockets(t, proc) != 1; {
		if time.Now().After(deadline) {
			t.Errorf("the holder has %d sockets open, want 1", openSockets(t, proc))
			break
		}
	}
	environment, err := os.ReadFile(proc + "/environ")
	if err != nil || strings.Contains(string(environment), role) {
		t.Errorf("the holder's environment is %q, %v", environment, err)
	}
	if cwd, err := os.Readlink(proc + "/cwd"); cwd != "/" {
		t.Errorf("the holder's folder is %s, %v", cwd, err)
	}
	if cmdline, err := os.ReadFile(proc + "/cmdline"); string(cmdline) != "tun-mcp-holder\x00" {
		t.Errorf("the holder's command line is %q, %v", cmdline, err)
	}
}

// openSockets counts the open sockets of the holder at proc. Other descriptors must be
// harmless.
func openSockets(t *testing.T, proc string) (sockets int) {
	t.Helper()
	fds, err := filepath.Glob(proc + "/fd/*")
	if err != nil || len(fds) < 4 {
		t.Fatalf("the holder's descriptors are %v, %v", fds, err)
	}
	for _, fd := range fds {
		to, err := os.Readlink(fd)
		if errors.Is(err, os.ErrNotExist) {
			continue // closed in the meantime
		}
		switch {
		case to == "/dev/null", strings.HasPrefix(to, "anon_inode:"), strings.HasPrefix(to, "/sys/fs/cgroup/"): // the runtime's
		case to == "/dev/net/tun": // harmless, since it goes with the holder
		case strings.HasPrefix(to, "socket:"):
			sockets++
		default:
			t.Fatalf("the holder has %s open", to)
		}
	}
	return sockets
}
