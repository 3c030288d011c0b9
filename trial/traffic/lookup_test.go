package traffic

import (
	"bytes"
	"encoding/binary"
	"net"
	"testing"
)

// dnsReply returns a response to a query without EDNS: one A record, 10.77.0.2.
func dnsReply(query []byte) []byte {
	b := bytes.Clone(query[:28])
	b[2], b[7], b[11] = b[2]|0x84, 1, 0
	return append(b, "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x4d\x00\x02"...)
}

// Over TCP each message has its length in front. Messages that answer something else are
// skipped.
func TestDNSOverTCP(t *testing.T) {
	query := dnsQuery(77, true)
	right := dnsReply(query)
	other, asked := bytes.Clone(right), bytes.Clone(right)
	other[1]++
	asked[13] = 'x'
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		defer theirs.Close()
		heard := make([]byte, 2+len(query))
		if n, err := theirs.Read(heard); err != nil || n != len(heard) || heard[1] != byte(len(query)) || !bytes.Equal(heard[2:], query) {
			t.Errorf("%x, %v", heard[:n], err)
		}
		for _, b := range [][]byte{other, asked, nil, query, right} {
			_, _ = theirs.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)) // the other end may be closed
		}
	}()
	got, err := converseDNS(ours, true, query)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := got.addresses(); err != nil || len(found) != 1 || found[0].String() != "10.77.0.2" {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := converseDNS(ours, true, query); err == nil {
		t.Error("no error after the end")
	}
}

// No response makes the reader fail.
func FuzzDNSResponse(f *testing.F) {
	query := dnsQuery(77, false)
	f.Add(dnsReply(query))
	f.Fuzz(func(t *testing.T, b []byte) {
		response := responseTo(query, b)
		if response == nil {
			return
		}
		found, err := response.addresses()
		if err == nil && len(found)*15 > len(b) {
			t.Errorf("%v from %x", found, b)
		}
	})
}
