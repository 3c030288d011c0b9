package ping

import (
	"bytes"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// inNamespace is set in the process that TestKernel starts on a peer.
const inNamespace = "TUN_MCP_PING_TEST"

// The test runs in its own network namespace, where nobody else pings.
func TestKernel(t *testing.T) {
	if os.Getenv(inNamespace) == "" {
		link := tuntest.OpenPrivate(t, tun.Config{Addr6: netip.MustParsePrefix("2001:db8:77::1/64")})
		cmd := tuntest.Exec(t, link, os.Args[0], "-test.run=^TestKernel$", "-test.v")
		cmd.Env = append(os.Environ(), inNamespace+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: TestKernel/datagram_::1")) {
			t.Errorf("on the peer: %v\n%s", err, out)
		}
		return
	}
	for _, to := range []string{"127.0.0.1", "10.77.0.1", "::1", "2001:db8:77::1"} {
		for _, kind := range []string{"raw", "datagram"} {
			t.Run(kind+" "+to, func(t *testing.T) {
				addr := netip.MustParseAddr(to)
				k, err := openKernel(addr, kind == "raw")
				if err != nil {
					t.Fatal(err)
				}
				longest := MaxSize
				if addr.Is6() {
					longest = MaxSize6
				}
				for seq, size := range []int{0, 1, 56, 3000, longest} {
					want := payload(size, time.Now())
					if err := k.Send(uint16(seq), want); err != nil {
						t.Fatal(err)
					}
					m, err := k.Receive()
					if err != nil || !m.IsReply() || m.From != addr || m.Seq != uint16(seq) || m.TTL != 64 || m.BadChecksum || m.RTT <= 0 || !bytes.Equal(m.Data, want) {
						t.Errorf("%d bytes: %v, %d bytes %+v", size, err, len(m.Data), m.From)
					}
				}
				if err := k.Send(9, make([]byte, longest+1)); err == nil {
					t.Errorf("%d bytes were sent", longest+1)
				}
				ended := make(chan error, 1)
				go func() {
					_, err := k.Receive()
					ended <- err
				}()
				k.Close()
				k.Close()
				if err := <-ended; err == nil {
					t.Error("Receive after Close gave a message")
				}
			})
		}
	}
}
