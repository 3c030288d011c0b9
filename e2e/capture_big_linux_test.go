package e2e

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// bigCapture writes a capture of UDP datagrams of 8,960 bytes, each from a different
// port, and returns their number.
func bigCapture(t *testing.T, path string, size int) (packets int) {
	t.Helper()
	const length = 8960
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	out := bufio.NewWriterSize(file, 1<<20)
	head := []byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0} // pcap of raw IP
	_, _ = out.Write(head)                                                                                     // Flush has the error
	datagram := append([]byte{0x45, 0, length >> 8, length & 0xff, 0, 0, 0, 0, 64, 17, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2,
		0, 0, 0, 9, (length - 20) >> 8, (length - 20) & 0xff, 0, 0}, make([]byte, length-28)...)
	record := make([]byte, 16)
	for size -= len(head); size >= len(record)+length; size -= len(record) + length {
		binary.LittleEndian.PutUint32(record, uint32(1_700_000_000+packets/20_000))
		binary.LittleEndian.PutUint32(record[4:], uint32(packets%20_000*50))
		binary.LittleEndian.PutUint32(record[8:], length)
		binary.LittleEndian.PutUint32(record[12:], length)
		binary.BigEndian.PutUint16(datagram[20:], uint16(packets))
		_, _ = out.Write(record)
		_, _ = out.Write(datagram)
		packets++
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	return packets
}

// peakResident returns the peak resident memory of a process that has ended, in bytes.
func peakResident(cmd *exec.Cmd) int64 {
	return cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

// ladder, replay and watch handle a capture of 8 MB (with TUN_MCP_LONG 1 GB) with
// hardly more memory than one of 16 packets.
func TestBigCapture(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "big.pcap")
	small := filepath.Join(folder, "small.pcap")
	bigCapture(t, small, 150_000)
	packets := bigCapture(t, path, tuntest.Long(8<<20, 1<<30))
	b := startBuiltin(t, "-q", "--network", "memory", "--mtu", "9000")
	run := func(args ...string) (out string, took time.Duration, most int64) {
		t.Helper()
		began := time.Now()
		cmd := exec.Command(program, args...)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+b.runtime)
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v\n%.2000s", args, err, text)
		}
		return string(text), time.Since(began), peakResident(cmd)
	}
	const room = 48 << 20 // bytes
	check := func(what string, took time.Duration, most, usual int64) {
		t.Helper()
		t.Logf("%s: %v, %d MB (%d MB for 16 packets)", what, took.Round(time.Millisecond), most>>20, usual>>20)
		if most > usual+room {
			t.Errorf("%s took %d MB of memory, %d MB for 16 packets", what, most>>20, usual>>20)
		}
	}

	_, _, usual := run("ladder", small)
	out, took, most := run("ladder", path)
	check("ladder", took, most, usual)
	if !strings.Contains(out, "more packets") {
		t.Error("the ladder does not say that there is more")
	}

	_, _, usual = run("replay", "--speed", "0", small)
	written := filepath.Join(folder, "written.pcapng")
	watch := exec.Command(program, "watch", "--pcapng", "-")
	watch.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+b.runtime)
	file, err := os.Create(written)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	watch.Stdout = file
	stderr, err := watch.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = watch.Process.Kill() })
	remarks := bufio.NewReader(stderr)
	if line, err := remarks.ReadString('\n'); err != nil || !strings.HasPrefix(line, "watching session ") {
		t.Fatalf("%q, %v", line, err)
	}
	out, took, most = run("replay", "--speed", "0", path)
	check("replay", took, most, usual)
	if want := strconv.Itoa(packets) + " packets of "; !strings.HasPrefix(out, want) {
		t.Errorf("replay: %s, want %s", out, want)
	}
	b.interrupt() // the watch ends with the session
	rest, err := io.ReadAll(remarks)
	if err != nil {
		t.Fatal(err)
	}
	if err := watch.Wait(); err != nil {
		t.Errorf("watch: %v\n%s", err, rest)
	}
	check("watch", took, peakResident(watch), usual)

	// The watch has counted the packets that it did not write.
	missed := 0
	if m := regexp.MustCompile(`(\d+) events were missed`).FindSubmatch(rest); m != nil {
		missed, _ = strconv.Atoi(string(m[1]))
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	capture, err := packet.NewCaptureReader(file)
	if err != nil {
		t.Fatal(err)
	}
	from := 0
	for {
		p, err := capture.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.FromPeer {
			from++
		}
	}
	t.Logf("%d packets were replayed, %d written, %d events missed", packets, from, missed)
	if from == 0 || from+missed < packets {
		t.Errorf("%d packets were replayed, the watch wrote %d and says that it missed %d events", packets, from, missed)
	}
}
