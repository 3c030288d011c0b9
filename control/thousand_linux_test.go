package control

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// possessions are the system resources of this process.
type possessions struct {
	children    string // process ids
	descriptors int
	devices     int
	files       string
	goroutines  int
}

func lookAround(t *testing.T, dirs ...string) possessions {
	t.Helper()
	var p possessions
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(tasks) == 0 {
		t.Fatalf("the threads of this process: %v, %v", tasks, err)
	}
	for _, task := range tasks {
		children, err := os.ReadFile(task)
		if err != nil && !os.IsNotExist(err) { // a thread may end
			t.Fatal(err)
		}
		p.children += string(children)
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	p.descriptors = len(entries)
	devices, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	p.devices = len(devices)
	for _, dir := range dirs {
		left, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		p.files += strings.Join(left, " ")
	}
	p.goroutines = runtime.NumGoroutine()
	return p
}

// oneSession opens a complete session, passes a packet each way, and closes it.
func oneSession(t *testing.T, i int, recordings string) {
	t.Helper()
	name := fmt.Sprintf("session-%d", i)
	listener, err := Claim(name)
	if err != nil {
		t.Fatal(err)
	}
	link, err := tun.Open(tun.Config{Network: tun.NetworkPrivate, Cleanup: SocketPath(name)})
	if err != nil {
		t.Fatal(err)
	}
	recording := filepath.Join(recordings, name+".pcapng")
	recorder, err := session.OpenRecorder(recording, name, "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := session.New(link, session.Config{Name: name, MTU: link.MTU, Record: recorder})
	control := Serve(s, listener, func() session.Status { return s.Fill(session.Status{}) })
	client, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	status, err := client.Status(t.Context())
	if err != nil || status.State != "open" {
		t.Fatalf("%+v, %v", status, err)
	}
	client.http.CloseIdleConnections()

	// An echo request from the agent.
	request, err := packet.Fix([]byte{0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 1, 0, 0, 10, 77, 0, 2, 10, 77, 0, 1, 8, 0, 0, 0, 0, 1, byte(i >> 8), byte(i)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(t.Context(), request, 0); err != nil {
		t.Fatal(err)
	}
	b, err := s.Read(t.Context(), session.ReadOptions{Timeout: limit, Max: 1})
	if err != nil || len(b.Packets) != 1 || !bytes.Equal(b.Packets[0].Data[24:], request[24:]) {
		t.Fatalf("the peer's answer: %+v, %v", b, err)
	}

	if err := control.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(recording); err != nil {
		t.Fatal(err)
	}
}

// After 1,000 sessions in a row (40 without TUN_MCP_LONG), each with a namespace, a
// device, a control socket and a recording, no resource is left.
func TestThousandSessions(t *testing.T) {
	tuntest.RequirePrivate(t)
	inFolder(t)
	recordings := t.TempDir()
	oneSession(t, 0, recordings) // opens files that the runtime keeps open
	look := func() possessions { return lookAround(t, folders()[0], recordings) }
	before := look()
	if before.files != "" || before.children != "" {
		t.Fatalf("before: %+v", before)
	}

	sessions := tuntest.Long(40, 1000)
	start := time.Now()
	for i := range sessions {
		oneSession(t, i, recordings)
	}
	t.Logf("%d sessions in %v", sessions, time.Since(start))

	after := look()
	// Goroutines end a moment after their session.
	for deadline := time.Now().Add(limit); after.goroutines > before.goroutines && time.Now().Before(deadline); after = look() {
		runtime.Gosched()
	}
	if after.goroutines > before.goroutines {
		stacks := make([]byte, 1<<20)
		t.Errorf("goroutines: %d, before %d\n%s", after.goroutines, before.goroutines, stacks[:runtime.Stack(stacks, true)])
	}
	after.goroutines = before.goroutines
	if after != before {
		t.Errorf("left: %+v, before %+v", after, before)
	}
}
