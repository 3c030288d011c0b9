package netstack

import (
	"io"
	"testing"
)

// BenchmarkPing measures one echo request and its reply, on one goroutine.
func BenchmarkPing(b *testing.B) {
	s := newAgent(b)
	request := echo(peer4.Addr(), agent4.Addr(), 1, 1, payload(56))
	buf := make([]byte, 65535)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "packets/s")
}

// BenchmarkTCP measures a bulk transfer from one stack to another.
func BenchmarkTCP(b *testing.B) {
	peer, agent := newPair(b)
	l, err := agent.Listen("tcp", ":9")
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		block := make([]byte, 1<<16)
		for {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	}()
	c, err := peer.DialContext(withLimit(b), "tcp", "10.77.0.2:9")
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		if _, err := io.ReadFull(c, buf); err != nil {
			b.Fatal(err)
		}
	}
}
