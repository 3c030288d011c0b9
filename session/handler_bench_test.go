package session

import (
	"os"
	"testing"

	"github.com/tun-mcp/tun-mcp/handler"
)

// still is a device that accepts every packet and sends none.
type still struct{ ended chan struct{} }

func (d still) Read([]byte) (int, error)    { <-d.ended; return 0, os.ErrClosed }
func (d still) Write(b []byte) (int, error) { return len(b), nil }
func (d still) Close() error                { close(d.ended); return nil }

// BenchmarkHandler measures how long a session with examples/handlers/ping.star takes
// for a packet, without the device.
func BenchmarkHandler(b *testing.B) {
	source, err := os.ReadFile("../examples/handlers/ping.star")
	if err != nil {
		b.Fatal(err)
	}
	h, err := handler.Load(string(source), handler.Options{Fix: true})
	if err != nil {
		b.Fatal(err)
	}
	s := New(still{make(chan struct{})}, Config{MTU: 1500, Check: true, MaxPPS: DefaultMaxPPS * 1000})
	defer s.Close()
	if _, err := s.Install(b.Context(), h); err != nil {
		b.Fatal(err)
	}
	request := echo(b, 8, 1, 2)
	b.ReportAllocs()
	for b.Loop() {
		s.receive(append([]byte(nil), request...), false)
	}
	if view := s.Handler(); view.Answered != view.Seen {
		b.Errorf("%+v", view.HandlerStatus)
	}
}
