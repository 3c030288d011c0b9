package handler

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// ping answers echo requests.
const ping = `
def handle(p):
    if p[0] != 0x45 or p[9] != 1 or p[20] != 8:
        return None                      # the agent gets it
    p.swap(12, 16, 4)                    # source and destination
    p[20] = 0
    sum = p.u16(22) + 0x0800
    p.put16(22, (sum & 0xffff) + (sum >> 16))
    return [p]
`

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const request = "45000054 7d1a4000 4001a8d6 0a4d0001 0a4d0002 0800 4d2f 6a9c 0002 9f8e1768 00000000 9d6f0100 00000000 101112131415161718191a1b1c1d1e1f 202122232425262728292a2b2c2d2e2f 3031323334353637"

func mustLoad(t testing.TB, source string, options Options) *Handler {
	t.Helper()
	h, err := Load(source, options)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPing(t *testing.T) {
	h := mustLoad(t, ping, Options{})
	in := unhex(t, request)
	before := bytes.Clone(in)
	packets, taken, err := h.Handle(in)
	if err != nil || !taken || len(packets) != 1 {
		t.Fatalf("%x %v %v", packets, taken, err)
	}
	want := unhex(t, strings.Replace(request, "0a4d0001 0a4d0002 0800 4d2f", "0a4d0002 0a4d0001 0000 552f", 1))
	if !bytes.Equal(packets[0], want) {
		t.Errorf("%x", packets[0])
	}
	if !bytes.Equal(in, before) {
		t.Error("Handle changed the packet passed to it")
	}
	in[9] = 17
	if packets, taken, err := h.Handle(in); err != nil || taken || packets != nil {
		t.Errorf("UDP: %x %v %v", packets, taken, err)
	}
}

func BenchmarkPing(b *testing.B) {
	h := mustLoad(b, ping, Options{})
	in := unhex(b, request)
	b.ReportAllocs()
	for b.Loop() {
		if _, taken, err := h.Handle(in); err != nil || !taken {
			b.Fatal(err)
		}
	}
}
