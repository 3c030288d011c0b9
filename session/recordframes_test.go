package session

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/tun-mcp/tun-mcp/packet"
)

// frame is a packet of a capture file.
type frame struct {
	fromPeer bool
	data     []byte
	comment  string
}

// readFrames reads a capture file as the session writes it. Other tests, of package
// packet and with tshark, check the format.
func readFrames(t testing.TB, file []byte) (all []frame) {
	t.Helper()
	header := packet.CaptureHeader("test")
	if !bytes.HasPrefix(file, header) {
		t.Fatalf("the file begins with % x", file[:min(len(file), 64)])
	}
	number := binary.LittleEndian.Uint32
	for file = file[len(header):]; len(file) > 0; {
		if len(file) < 8 || int(number(file[4:])) > len(file) {
			t.Fatalf("an incomplete block after frame %d: % x", len(all), file)
		}
		block := file[:number(file[4:])]
		file = file[len(block):]
		size := int(number(block[20:]))
		f := frame{fromPeer: number(block[8:]) == 0, data: block[28 : 28+size]}
		if options := block[28+(size+3)/4*4:]; options[0] == 1 {
			f.comment = string(options[4 : 4+binary.LittleEndian.Uint16(options[2:])])
		}
		all = append(all, f)
	}
	return all
}

// startRecording starts a recording in a new file and returns it with the file's path.
func startRecording(t testing.TB, report func(error)) (*Recorder, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.pcapng")
	recorder, err := OpenRecorder(path, "name", "test", report)
	if err != nil {
		t.Fatal(err)
	}
	return recorder, path
}

func recordedFrames(t testing.TB, path string) []frame {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return readFrames(t, file)
}
