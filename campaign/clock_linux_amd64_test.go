package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// clock is the wall clock of one process, which the test can set. The process gets
// the time from the vDSO, code that the kernel maps into it. The test replaces
// clock_gettime there with code that asks the kernel and adds an offset to the
// seconds of CLOCK_REALTIME.
type clock struct {
	t      *testing.T
	memory *os.File
	offset int64 // of the offset, in the process's memory
}

// clockGettime is the replacement. The 8 bytes after it are the offset.
var clockGettime = []byte{
	0xb8, 228, 0, 0, 0, // mov eax, SYS_clock_gettime
	0x0f, 0x05, // syscall
	0x85, 0xff, // test edi, edi: CLOCK_REALTIME is 0
	0x75, 10, // jnz to ret
	0x48, 0x8b, 0x0d, 6, 0, 0, 0, // mov rcx, [rip+6]: the offset
	0x48, 0x01, 0x0e, // add [rsi], rcx
	0xc3, // ret
	0x90, 0x90,
	0, 0, 0, 0, 0, 0, 0, 0,
}

// beginWithClock starts a command whose clock the test can set.
func (f *field) beginWithClock(args ...string) (*process, *clock) {
	f.t.Helper()
	cmd := f.command(args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true} // it stops after exec, before any of its code runs
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var c *clock
	p := f.run(cmd, func(pid int) {
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil || !status.Stopped() {
			f.t.Fatalf("the command did not stop: %v, %v", status, err)
		}
		var err error
		c, err = f.replaceClock(pid)
		if detached := syscall.PtraceDetach(pid); detached != nil {
			f.t.Fatal(detached)
		}
		if err != nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			tuntest.Unmet(f.t, fmt.Errorf("setting the clock of one process: %w", err))
		}
	})
	return p, c
}

func (f *field) replaceClock(pid int) (*clock, error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	var low, high int64
	for line := range strings.Lines(string(maps)) {
		if strings.Contains(line, "[vdso]") {
			if _, err := fmt.Sscanf(line, "%x-%x", &low, &high); err != nil {
				return nil, err
			}
		}
	}
	memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	f.t.Cleanup(func() { memory.Close() })
	image := make([]byte, high-low)
	if _, err := memory.ReadAt(image, low); err != nil {
		return nil, err
	}
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, err
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return nil, err
	}
	for _, s := range symbols {
		if s.Name != "__vdso_clock_gettime" {
			continue
		}
		if s.Size < uint64(len(clockGettime)) {
			return nil, fmt.Errorf("clock_gettime has %d bytes, its replacement has %d", s.Size, len(clockGettime))
		}
		at := low + int64(s.Value)
		if _, err := memory.WriteAt(clockGettime, at); err != nil {
			return nil, err
		}
		return &clock{f.t, memory, at + int64(len(clockGettime)) - 8}, nil
	}
	return nil, fmt.Errorf("the %d symbols of the vDSO have no clock_gettime", len(symbols))
}

// jump sets the clock to the real time plus by.
func (c *clock) jump(by time.Duration) {
	c.t.Helper()
	if _, err := c.memory.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(int64(by/time.Second))), c.offset); err != nil {
		c.t.Fatal(err)
	}
}

// The clocks of the start, with its server, and of a worker jump forwards and back.
// No limit is reached, nothing takes an hour, and every cell has one verdict.
func TestClockJumps(t *testing.T) {
	f := newField(t, `
agents: [{name: a, agent: "{config} slow 500ms", parallel: 2}]
scenarios: [ping]
repetitions: 14
limits: {minutes: 30, wait: 100ms}
`)
	secret := f.file("token", token)
	start, server := f.beginWithClock("start", f.plan, "--at-once", "0", "--lease", "3s", "--listen", "127.0.0.1:0", "--token-file", secret)
	address, _, _ := strings.Cut(start.says("campaign work --join "), " ")
	worker, own := f.beginWithClock("work", "--join", address, "--token-file", secret, "--folder", t.TempDir())
	now, ahead := time.Now(), time.Duration(0)
	for n, jump := range []func(){
		func() { server.jump(time.Hour) },
		func() { own.jump(-time.Hour) },
		func() { server.jump(-2 * time.Hour) },
		func() { own.jump(24 * time.Hour) },
		func() { server.jump(0) },
	} {
		await(t, "a trial is running", func() bool { return len(f.alive()) > 0 })
		jump()
		f.ended(2 * (n + 1))
		if s, err := f.folder.Status(); err == nil {
			ahead = max(ahead, s.Written.Sub(now))
		}
	}
	start.ends(0)
	worker.ends(0)
	f.noneAlive()
	if ahead < 50*time.Minute {
		t.Errorf("the start's status was at most %v ahead, want 50 min: its clock did not jump", ahead)
	}
	jumped := 0
	for _, r := range f.allDone(14) {
		if r.Seconds < 0.5 || r.Seconds > 60 {
			t.Errorf("the trial of %s took %v s, want 0.5 to 60", r.Cell, r.Seconds)
		}
		if r.Started.Sub(now).Abs() > 50*time.Minute {
			jumped++
		}
	}
	if jumped == 0 {
		t.Error("no trial began at a wrong time: the worker's clock did not jump")
	}
	if s, err := f.folder.Status(); err != nil || s.Seconds < 1 || s.Seconds > 120 {
		t.Errorf("the campaign ran for %v s, %v, want 1 to 120", s.Seconds, err)
	}
}
