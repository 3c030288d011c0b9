package agent

import (
	"net"
	"testing"
)

// A fakeListener makes a new connection for every Accept.
type fakeListener struct {
	net.Listener
	ours chan net.Conn // the other ends
}

func (l fakeListener) Accept() (net.Conn, error) {
	ours, theirs := net.Pipe()
	l.ours <- ours
	return theirs, nil
}

// A service has at most maxConnections; when one ends, there is room for another.
func TestConnectionsAreBounded(t *testing.T) {
	all := fakeListener{ours: make(chan net.Conn, maxConnections+2)}
	l := limited(all)
	var first net.Conn
	for range maxConnections {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = c
		}
	}
	for range maxConnections {
		<-all.ours
	}
	accepted := make(chan net.Conn)
	go func() {
		c, _ := l.Accept()
		accepted <- c
	}()
	refused := <-all.ours
	if _, err := refused.Read(make([]byte, 1)); err == nil { // it was closed
		t.Error("a connection over the limit was served")
	}
	go func() {
		for range all.ours { // those that are refused until there is room
		}
	}()
	defer close(all.ours)
	first.Close()
	first.Close() // makes room once
	if c := <-accepted; c == nil {
		t.Error("no connection is served after one has ended")
	}
	if n := len(l.(*limitedListener).open); n != maxConnections {
		t.Errorf("%d connections are counted, want %d", n, maxConnections)
	}
}
