package tun_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

var _ tun.Device = (*tun.Impaired)(nil)

// sent writes the packets "0", "1", … and returns them in their order of arrival, each
// with its time.
func sent(t *testing.T, i tun.Impairment, packets int) (arrived []string) {
	t.Helper()
	d := tuntest.NewDevice()
	m := tun.Impair(d, i)
	defer m.Close()
	start := time.Now()
	for n := range packets {
		if _, err := m.Write([]byte(fmt.Sprint(n))); err != nil {
			t.Fatal(err)
		}
	}
	if time.Since(start) != 0 {
		t.Errorf("Write took %v", time.Since(start))
	}
	for {
		select {
		case p := <-d.ToPeer:
			arrived = append(arrived, fmt.Sprintf("%s@%v", p, time.Since(start)))
		case <-time.After(time.Hour):
			return arrived
		}
	}
}

func TestImpairEachRule(t *testing.T) {
	for _, c := range []struct {
		rules tun.Impairment
		want  string
	}{
		{tun.Impairment{}, "0@0s 1@0s 2@0s 3@0s 4@0s"},
		{tun.Impairment{Drop: 1}, ""},
		{tun.Impairment{Duplicate: 1}, "0@0s 0@0s 1@0s 1@0s 2@0s 2@0s 3@0s 3@0s 4@0s 4@0s"},
		{tun.Impairment{Reorder: 1}, "1@0s 0@0s 3@0s 2@0s 4@200ms"},
		{tun.Impairment{Delay: 20 * time.Millisecond}, "0@20ms 1@20ms 2@20ms 3@20ms 4@20ms"},
		{tun.Impairment{Delay: 20 * time.Millisecond, Reorder: 1}, "1@20ms 0@20ms 3@20ms 2@20ms 4@220ms"},
	} {
		synctest.Test(t, func(t *testing.T) {
			if got := strings.Join(sent(t, c.rules, 5), " "); got != c.want {
				t.Errorf("%v: got %s, want %s", c.rules, got, c.want)
			}
		})
	}
}

func TestImpairIsDeterministic(t *testing.T) {
	rules := tun.Impairment{Seed: 7, Drop: 0.1, Duplicate: 0.1, Reorder: 0.1, Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond}
	run := func(seed uint64) (got []string) {
		rules.Seed = seed
		synctest.Test(t, func(t *testing.T) { got = sent(t, rules, 1000) })
		return got
	}
	one, same, other := run(7), run(7), run(8)
	if !slices.Equal(one, same) {
		t.Error("the same seed gave another result")
	}
	if slices.Equal(one, other) {
		t.Error("another seed gave the same result")
	}
}

func TestImpairCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tuntest.NewDevice()
		m := tun.Impair(d, tun.Impairment{Seed: 7, Drop: 0.2, Duplicate: 0.1, Reorder: 0.05, Delay: time.Second, Jitter: time.Second})
		defer m.Close()
		const packets = 4000
		for range packets {
			m.Write([]byte("x"))
		}
		got := 0
		for range packets {
			d.FromPeer([]byte("x"))
		}
		go func() {
			for {
				if _, err := m.Read(make([]byte, 1)); err != nil {
					return
				}
				got++
			}
		}()
		time.Sleep(time.Minute) // fake time
		synctest.Wait()
		fromPeer, toPeer := m.Counts()
		for _, c := range []tun.ImpairCounts{fromPeer, toPeer} {
			if c.Packets != packets || c.Packets+c.Duplicated != c.Passed+c.Dropped || c.Overflowed != 0 {
				t.Errorf("%+v does not add up", c)
			}
			near := func(what string, n, want int) {
				if n < want*8/10 || n > want*12/10 {
					t.Errorf("%s is %d, want about %d: %+v", what, n, want, c)
				}
			}
			near("dropped", c.Dropped, packets/5)
			near("duplicated", c.Duplicated, packets*8/100)
			near("reordered", c.Reordered, packets*4/100)
		}
		if got != fromPeer.Passed || len(d.ToPeer) != toPeer.Passed {
			t.Errorf("%d and %d packets were delivered, but the counters are %+v, %+v", got, len(d.ToPeer), fromPeer, toPeer)
		}
		if fromPeer == toPeer {
			t.Error("both directions have the same result")
		}
	})
}

func TestImpairIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := tun.Impair(tuntest.NewDevice(), tun.Impairment{Delay: time.Minute})
		defer m.Close()
		for range 5000 {
			m.Write([]byte("x"))
		}
		if _, c := m.Counts(); c.Overflowed != 5000-4096 {
			t.Errorf("%+v", c)
		}
	})
}

// The total size of the packets in transit is limited, too.
func TestImpairIsBoundedInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := tun.Impair(tuntest.NewDevice(), tun.Impairment{Delay: time.Minute})
		defer m.Close()
		for range 1000 {
			m.Write(make([]byte, 1<<16-1))
		}
		if _, c := m.Counts(); c.Overflowed != 1000-32<<20/(1<<16-1) {
			t.Errorf("%+v", c)
		}
	})
}

func TestImpairEnds(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		end  func(*tuntest.Device, *tun.Impaired)
		want error
	}{
		{"close", func(_ *tuntest.Device, m *tun.Impaired) { m.Close() }, os.ErrClosed},
		{"device closed", func(d *tuntest.Device, _ *tun.Impaired) { d.Close() }, os.ErrClosed},
		{"device failed", func(d *tuntest.Device, _ *tun.Impaired) { d.Fail(broken) }, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := tuntest.NewDevice()
				m := tun.Impair(d, tun.Impairment{Delay: time.Second})
				var pending error
				go func() { _, pending = m.Read(make([]byte, 1)) }()
				m.Write([]byte("on its way"))
				d.FromPeer([]byte("on its way"))
				synctest.Wait()
				c.end(d, m)
				synctest.Wait()
				if !errors.Is(pending, c.want) {
					t.Errorf("the blocked Read returned %v", pending)
				}
				if _, err := m.Read(make([]byte, 1)); !errors.Is(err, c.want) {
					t.Errorf("Read returned %v", err)
				}
				if _, err := m.Write([]byte("x")); !errors.Is(err, c.want) {
					t.Errorf("Write returned %v", err)
				}
				for range 2 {
					if err := m.Close(); err != nil {
						t.Errorf("Close returned %v", err)
					}
				}
			})
		})
	}
}

// choosy is a device that refuses packets.
type choosy struct{ *tuntest.Device }

var errRefused = errors.New("the link is down")

func (d choosy) Write(p []byte) (int, error) {
	if string(p) == "bad" {
		return 0, errRefused
	}
	return d.Device.Write(p)
}

func TestImpairTellsOfAFailedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tuntest.NewDevice()
		m := tun.Impair(choosy{d}, tun.Impairment{Delay: time.Second})
		defer m.Close()
		m.Write([]byte("bad"))
		time.Sleep(2 * time.Second) // fake time
		for _, want := range []error{errRefused, nil} {
			if _, err := m.Write([]byte("good")); !errors.Is(err, want) {
				t.Errorf("Write returned %v, want %v", err, want)
			}
		}
	})
}

func TestParseImpairment(t *testing.T) {
	for _, text := range []string{
		"drop=5%,duplicate=1%,reorder=2%,delay=20ms,jitter=5ms,seed=7",
		"drop=0.1%,seed=0",
		"seed=18446744073709551615",
	} {
		i, err := tun.ParseImpairment(text)
		if err != nil || i.String() != text {
			t.Errorf("%s parses to %s, %v", text, i, err)
		}
	}
	if i, err := tun.ParseImpairment(" delay=1s , drop=0.25"); err != nil || i != (tun.Impairment{Drop: 0.25, Delay: time.Second}) {
		t.Errorf("got %+v, %v", i, err)
	}
	if i, err := tun.ParseImpairment("seed=7"); err != nil || !i.IsZero() {
		t.Errorf("got %+v, %v", i, err)
	}
	for text, want := range map[string]string{
		"":                     "not KEY=VALUE",
		"drop":                 "not KEY=VALUE",
		"lose=5%":              "use drop, duplicate, reorder, delay, jitter or seed",
		"drop=5":               "for instance 5% or 0.05",
		"drop=-1%":             "use 0% to 100%",
		"drop=NaN":             "use 0% to 100%",
		"reorder=101%":         "use 0% to 100%",
		"delay=20":             "for instance 20ms",
		"delay=2m":             "use 0s to 1m0s",
		"jitter=-1ms":          "use 0s to 1m0s",
		"seed=x":               "use a number from 0",
		"drop=5%,drop=6%":      "drop is given twice",
		"drop=5%,delay=20ms,,": "not KEY=VALUE",
	} {
		if i, err := tun.ParseImpairment(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q parses to %v, %v, want %q in the error", text, i, err, want)
		}
	}
}

// TCP works over an impaired link, and DialContext still finds the peer.
func TestImpairedLink(t *testing.T) {
	tuntest.OnEach(t, func(t *testing.T, link *tun.Link) {
		rules, err := tun.ParseImpairment("drop=5%,duplicate=5%,reorder=5%,delay=1ms,jitter=1ms,seed=7")
		if err != nil {
			t.Fatal(err)
		}
		m := tun.Impair(link.Device, rules)
		link.Device = m
		tuntest.ServeTCP(t, newAgent(t, link), ":7", func(c net.Conn) { io.Copy(io.Discard, c); io.WriteString(c, "done") })
		ctx, cancel := context.WithTimeout(t.Context(), tuntest.Limit)
		defer cancel()
		c, err := link.DialContext(ctx, "tcp", "10.77.0.2:7", 0)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(tuntest.Limit))
		c.Write(make([]byte, 300_000))
		c.(interface{ CloseWrite() error }).CloseWrite()
		if got, err := io.ReadAll(c); string(got) != "done" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		fromPeer, toPeer := m.Counts()
		t.Logf("from the peer %+v, to it %+v", fromPeer, toPeer)
	})
}
