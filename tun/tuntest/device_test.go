package tuntest_test

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

var _ tun.Device = (*tuntest.Device)(nil)

func TestDeviceCarriesPacketsBothWays(t *testing.T) {
	d := tuntest.NewDevice()
	sent := []byte("ping")
	d.FromPeer(sent)
	sent[0] = 'x' // the device has its own copy

	p := make([]byte, 65535)
	n, err := d.Read(p)
	if err != nil || string(p[:n]) != "ping" {
		t.Fatalf("Read returned %q, %v, want ping", p[:n], err)
	}
	copy(p, "pong")
	if n, err := d.Write(p[:4]); n != 4 || err != nil {
		t.Fatalf("Write returned %d, %v, want 4", n, err)
	}
	p[0] = 'x'
	if got := string(<-d.ToPeer); got != "pong" {
		t.Fatalf("the peer received %q, want pong", got)
	}
}

func TestDeviceTruncatesToTheBuffer(t *testing.T) {
	d := tuntest.NewDevice()
	d.FromPeer([]byte("long"))
	p := make([]byte, 2)
	if n, err := d.Read(p); n != 2 || err != nil {
		t.Fatalf("Read returned %d, %v, want 2", n, err)
	}
}

func TestDeviceEnds(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		end  func(*tuntest.Device)
		want error
	}{
		{"close", func(d *tuntest.Device) { d.Close() }, os.ErrClosed},
		{"fail", func(d *tuntest.Device) { d.Fail(broken) }, broken},
		{"close then fail", func(d *tuntest.Device) { d.Close(); d.Fail(broken) }, os.ErrClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := tuntest.NewDevice()
				var pending error
				go func() { _, pending = d.Read(make([]byte, 1)) }()
				synctest.Wait() // the Read is blocked now
				c.end(d)
				synctest.Wait()
				if !errors.Is(pending, c.want) {
					t.Errorf("the blocked Read returned %v, want %v", pending, c.want)
				}
				d.FromPeer([]byte("late")) // lost, and does not wait
				if _, err := d.Read(make([]byte, 1)); !errors.Is(err, c.want) {
					t.Errorf("a later Read returned %v, want %v", err, c.want)
				}
				if _, err := d.Write([]byte("late")); !errors.Is(err, c.want) {
					t.Errorf("a later Write returned %v, want %v", err, c.want)
				}
				if err := d.Close(); err != nil {
					t.Errorf("Close returned %v, want nil", err)
				}
			})
		})
	}
}
