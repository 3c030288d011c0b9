package tun_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

func init() {
	// server opens a private link, prints the holder's process id, and goes on
	// until it is killed.
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
	// What the server inherits like this, a careless child would inherit too.
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
		t.Errorf("the pipe that the server inherited gave %v, want its end", err)
	}
}

// inspectHolder checks that a holder has nothing of its server's: no pipe, no
// environment, no folder.
func inspectHolder(t *testing.T, pid int) {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d", pid)
	// What it gives away it closes right after.
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
		t.Errorf("the holder stands in %s, %v", cwd, err)
	}
	if cmdline, err := os.ReadFile(proc + "/cmdline"); string(cmdline) != "tun-mcp-holder\x00" {
		t.Errorf("the holder is called %q, %v", cmdline, err)
	}
}

// openSockets counts the sockets that the holder at proc has open. It has
// nothing else of this machine's.
func openSockets(t *testing.T, proc string) (sockets int) {
	t.Helper()
	fds, err := filepath.Glob(proc + "/fd/*")
	if err != nil || len(fds) < 4 {
		t.Fatalf("the holder's descriptors are %v, %v", fds, err)
	}
	for _, fd := range fds {
		to, err := os.Readlink(fd)
		if errors.Is(err, os.ErrNotExist) {
			continue // closed since it was listed
		}
		switch {
		case to == "/dev/null", strings.HasPrefix(to, "anon_inode:"), strings.HasPrefix(to, "/sys/fs/cgroup/"): // the runtime's
		case to == "/dev/net/tun": // keeps nothing alive: it goes with the holder
		case strings.HasPrefix(to, "socket:"):
			sockets++
		default:
			t.Fatalf("the holder has %s open", to)
		}
	}
	return sockets
}
