package netstack

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"
)

// serve accepts connections and handles each on its own goroutine.
func serve(t *testing.T, l net.Listener, handle func(net.Conn)) {
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				t.Errorf("Accept: %v", err)
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}()
}

func TestTCPEcho(t *testing.T) {
	peer, agent := newPair(t)
	for _, test := range []struct{ listen, at, dial, to string }{
		{"tcp", ":7", "tcp", "10.77.0.2:7"},
		{"tcp", ":8", "tcp", "[2001:db8:77::2]:8"},
		{"tcp4", ":9", "tcp4", "10.77.0.2:9"},
		{"tcp6", ":10", "tcp6", "[2001:db8:77::2]:10"},
		{"tcp", "10.77.0.2:11", "tcp", "10.77.0.2:11"},
	} {
		l, err := agent.Listen(test.listen, test.at)
		if err != nil {
			t.Fatal(err)
		}
		serve(t, l, func(c net.Conn) { io.Copy(c, c) })
		c, err := peer.DialContext(withLimit(t), test.dial, test.to)
		if err != nil {
			t.Fatal(err)
		}
		if c.RemoteAddr().String() != test.to {
			t.Errorf("remote address %s, want %s", c.RemoteAddr(), test.to)
		}
		c.SetDeadline(time.Now().Add(limit))
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		c.(interface{ CloseWrite() error }).CloseWrite()
		if got, err := io.ReadAll(c); string(got) != "hello" || err != nil {
			t.Errorf("%+v: %q, %v", test, got, err)
		}
		c.Close()
	}
	if c, err := peer.DialContext(withLimit(t), "tcp", "10.77.0.2:10"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a tcp6 listener accepted IPv4: %v, %v", c, err)
	}
}

func TestUDPEcho(t *testing.T) {
	peer, agent := newPair(t)
	for _, test := range []struct{ listen, at, dial, to string }{
		{"udp", ":7", "udp", "10.77.0.2:7"},
		{"udp", ":8", "udp", "[2001:db8:77::2]:8"},
		{"udp4", ":9", "udp4", "10.77.0.2:9"},
		{"udp6", "[2001:db8:77::2]:10", "udp6", "[2001:db8:77::2]:10"},
	} {
		server, err := agent.ListenPacket(test.listen, test.at)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			buf := make([]byte, 65535)
			for {
				n, from, err := server.ReadFrom(buf)
				if errors.Is(err, net.ErrClosed) {
					return
				}
				if err != nil {
					t.Errorf("ReadFrom: %v", err)
					return
				}
				if n, err = server.WriteTo(buf[:n], from); err != nil {
					t.Errorf("WriteTo: %d, %v", n, err)
				}
			}
		}()
		c, err := peer.DialContext(withLimit(t), test.dial, test.to)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(limit))
		buf := make([]byte, 65535)
		for _, size := range []int{0, 1, 1472, 1473, 65507} {
			if n, err := c.Write(payload(size)); n != size || err != nil {
				t.Fatalf("%s, %d bytes: %d, %v", test.to, size, n, err)
			}
			if n, err := c.Read(buf); n != size || err != nil || string(buf[:n]) != string(payload(size)) {
				t.Errorf("%s, %d bytes: %d, %v", test.to, size, n, err)
			}
		}
		if _, err := c.Write(make([]byte, 65536)); !errors.Is(err, syscall.EMSGSIZE) {
			t.Errorf("65,536 bytes: %v", err)
		}
		c.Close()
		server.Close()
	}
}

func TestRefused(t *testing.T) {
	peer, _ := newPair(t)
	for _, host := range []string{"10.77.0.2", "[2001:db8:77::2]"} {
		if _, err := peer.DialContext(withLimit(t), "tcp", host+":81"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("TCP: %v", err)
		}
		c, err := peer.DialContext(withLimit(t), "udp", host+":81")
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(limit))
		waiting := make(chan error)
		go func() { // most likely blocked when the error comes
			_, err := c.Read(make([]byte, 10))
			waiting <- err
		}()
		if _, err := c.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		if err := <-waiting; !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("UDP: %v", err)
		}
		c.Close()
	}
}

func TestDialErrors(t *testing.T) {
	s := newStack(t, Config{Addr: peer4})
	for _, test := range []struct {
		network, address string
		want             error
	}{
		{"tcp", "192.0.2.1:80", syscall.ENETUNREACH},
		{"udp", "192.0.2.1:80", syscall.ENETUNREACH},
		{"ip4", "10.77.0.2", net.UnknownNetworkError("ip4")},
		{"tcp4x", "10.77.0.2:1", net.UnknownNetworkError("tcp4x")},
		{"tcp", "10.77.0.2", nil},
		{"tcp", "example.com:80", nil},
		{"tcp", "10.77.0.2:http", nil},
		{"tcp", "10.77.0.2:65536", nil},
		{"tcp", ":80", nil},
		{"tcp6", "10.77.0.2:80", nil},
		{"tcp", "[2001:db8:77::2]:80", nil},
	} {
		_, err := s.DialContext(withLimit(t), test.network, test.address)
		if err == nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s %s: %v, want %v", test.network, test.address, err, test.want)
		}
	}
	if _, err := s.Listen("udp", ":1"); err == nil {
		t.Error("Listen accepted udp")
	}
	if _, err := s.ListenPacket("tcp", ":1"); err == nil {
		t.Error("ListenPacket accepted tcp")
	}
	if _, err := s.Listen("tcp", "10.77.0.2:1"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("Listen on another host's address: %v", err)
	}
	if l, err := s.Listen("tcp", ":1"); err != nil {
		t.Error(err)
	} else if _, err := s.Listen("tcp", ":1"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the same port again: %v", err)
	} else if l.Close(); l != nil {
		if _, err := s.Listen("tcp", ":1"); err != nil {
			t.Errorf("the port is not free after Close: %v", err)
		}
	}
}

func TestDeadlines(t *testing.T) {
	s := newPeer(t) // nobody at the other end
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := s.DialContext(ctx, "tcp", "10.77.0.2:80"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("dial: %v", err)
	}
	c, err := s.DialContext(context.Background(), "udp", "10.77.0.2:53")
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	c.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	s.Close()
	if _, err := s.DialContext(context.Background(), "tcp", "10.77.0.2:80"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dial after close: %v", err)
	}
	if _, err := s.Listen("tcp", ":80"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("listen after close: %v", err)
	}
}

// A host reaches itself without the wire.
func TestSelf(t *testing.T) {
	s := newPeer(t)
	l, err := s.Listen("tcp", ":80")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, l, func(c net.Conn) { io.WriteString(c, "me") })
	c, err := s.DialContext(withLimit(t), "tcp", "10.77.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); string(got) != "me" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if s.link.NumQueued() != 0 {
		t.Error("a packet went onto the wire")
	}
}

// 20 MB arrive unchanged, over a good wire and over one that loses packets.
func TestTransfer(t *testing.T) {
	for _, wireKind := range []string{"good", "lossy"} {
		t.Run(wireKind, func(t *testing.T) {
			size := 20_000_000
			peer, agent := newPeer(t), newAgent(t)
			var lose filter
			if wireKind == "lossy" {
				size = 2_000_000
				dice := rand.New(rand.NewPCG(1, 2))
				lose = func(p []byte) []byte {
					if dice.IntN(100) == 0 {
						return nil
					}
					return p
				}
			}
			wire(t, peer, agent, nil, lose)
			body := make([]byte, size)
			rand.NewChaCha8([32]byte{}).Read(body)
			l, err := agent.Listen("tcp", ":80")
			if err != nil {
				t.Fatal(err)
			}
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(body) })}
			go server.Serve(l)
			t.Cleanup(func() { server.Close() })

			client := &http.Client{Transport: &http.Transport{DialContext: peer.DialContext}, Timeout: 3 * limit}
			start := time.Now()
			response, err := client.Get("http://10.77.0.2/")
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			hash := sha256.New()
			n, err := io.Copy(hash, response.Body)
			if err != nil || n != int64(size) || [32]byte(hash.Sum(nil)) != sha256.Sum256(body) {
				t.Errorf("%d bytes arrived or were changed: %v", n, err)
			}
			client.CloseIdleConnections()
			t.Logf("%d bytes in %v; dropped %d and %d", n, time.Since(start), peer.Dropped(), agent.Dropped())
			if wireKind == "good" && peer.Dropped()+agent.Dropped() != 0 {
				t.Errorf("dropped %d and %d", peer.Dropped(), agent.Dropped())
			}
		})
	}
}
