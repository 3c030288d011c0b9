package ping

import (
	"bytes"
	"errors"
	"net/netip"
	"regexp"
	"testing"
	"testing/synctest"
	"time"
)

// printed runs pings and returns the output and stderr.
func printed(t *testing.T, config Config, answer func(seq uint16, payload []byte) []late) (out, err string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if !config.To.IsValid() {
			config.To = agent
		}
		var o, e bytes.Buffer
		p := &Printer{Out: &o, Err: &e, Config: config}
		p.Head()
		if _, err := Run(t.Context(), newFake(answer), config, p); err != nil {
			t.Error(err)
		}
		out, err = o.String(), e.String()
		time.Sleep(time.Hour) // lets late answers arrive
	})
	return out, err
}

func TestPrinter(t *testing.T) {
	agent6 := netip.MustParseAddr("2001:db8:77::2")
	for _, c := range []struct {
		name     string
		config   Config
		answer   func(seq uint16, payload []byte) []late
		out, err string
	}{
		{"replies", Config{Count: 3, Interval: time.Second, Size: 56}, func(seq uint16, p []byte) []late {
			return []late{good([]time.Duration{0, 43 * time.Microsecond, 12345 * time.Microsecond, 987 * ms}[seq], seq, p)}
		}, `PING 10.77.0.2 (10.77.0.2) 56(84) bytes of data.
64 bytes from 10.77.0.2: icmp_seq=1 ttl=64 time=0.043 ms
64 bytes from 10.77.0.2: icmp_seq=2 ttl=64 time=12.3 ms
64 bytes from 10.77.0.2: icmp_seq=3 ttl=64 time=987 ms

--- 10.77.0.2 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time 2000ms
rtt min/avg/max/mdev = 0.043/333.129/987.000/462.383 ms
`, ""},
		{"faults", Config{Count: 6, Interval: time.Second, Wait: time.Second, Size: 40}, func(seq uint16, p []byte) []late {
			r := good(ms, seq, append([]byte{}, p...))
			switch seq {
			case 1:
				r.Data[35] = 0xaa
			case 2:
				return []late{r, {2 * ms, r.Message, nil}}
			case 3:
				r.BadChecksum = true
			case 4:
				return []late{{ms, Message{From: agent, Type: 3, Code: 1, Seq: seq}, nil}, good(2*ms, 9, nil)}
			case 5:
				r.From = netip.MustParseAddr("10.77.0.9")
				r.Data = r.Data[:30]
			case 6:
				r.Data, r.TTL = append(r.Data, 0, 0), 0
			}
			return []late{r}
		}, `PING 10.77.0.2 (10.77.0.2) 40(68) bytes of data.
48 bytes from 10.77.0.2: icmp_seq=1 ttl=64 time=1.00 ms
wrong data byte #35 should be 0x23 but was 0xaa
#0	80 43 6d 38 0 0 0 0 0 0 0 0 0 0 0 0 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f 
#32	20 21 22 aa 24 25 26 27 
48 bytes from 10.77.0.2: icmp_seq=2 ttl=64 time=1.00 ms
48 bytes from 10.77.0.2: icmp_seq=2 ttl=64 time=2.00 ms (DUP!)
48 bytes from 10.77.0.2: icmp_seq=3 ttl=64 time=1.00 ms (BAD CHECKSUM!)
From 10.77.0.2 icmp_seq=4 Destination Host Unreachable
8 bytes from 10.77.0.2: icmp_seq=9 ttl=64 (NEVER SENT!)
38 bytes from 10.77.0.9: icmp_seq=5 ttl=64 time=1.00 ms (DIFFERENT ADDRESS!) (truncated: 30 of 40 bytes)
50 bytes from 10.77.0.2: icmp_seq=6 time=1.00 ms (too long: 2 bytes more than were sent)

--- 10.77.0.2 ping statistics ---
6 packets transmitted, 4 received, +1 duplicates, +1 corrupted, +2 errors, 33.3333% packet loss, time 5000ms
rtt min/avg/max/mdev = 1.000/1.200/2.000/0.400 ms
`, ""},
		{"IPv6", Config{Count: 1, To: agent6, Interval: time.Second, Size: 8}, func(seq uint16, p []byte) []late {
			return []late{{ms, Message{From: agent6, Type: 129, Seq: seq, TTL: 255, Data: p, RTT: ms}, nil}}
		}, `PING 2001:db8:77::2 (2001:db8:77::2) 8 data bytes
16 bytes from 2001:db8:77::2: icmp_seq=1 ttl=255 time=1.00 ms

--- 2001:db8:77::2 ping statistics ---
1 packets transmitted, 1 received, 0% packet loss, time 0ms
rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms
`, ""},
		{"silence", Config{Count: 1, Interval: time.Second, Wait: time.Second}, func(uint16, []byte) []late { return nil },
			`PING 10.77.0.2 (10.77.0.2) 0(28) bytes of data.

--- 10.77.0.2 ping statistics ---
1 packets transmitted, 0 received, 100% packet loss, time 0ms

`, "ping: no reply yet: is the agent reading? It answers only while its client is running it; -W SECONDS waits longer for the first reply\n"},
		{"quiet", Config{Count: 2, Interval: time.Second, Quiet: true, Flood: true}, func(seq uint16, p []byte) []late {
			return []late{good(1500*ms, seq, p)}
		}, `PING 10.77.0.2 (10.77.0.2) 0(28) bytes of data.

--- 10.77.0.2 ping statistics ---
2 packets transmitted, 2 received, 0% packet loss, time 1000ms
rtt min/avg/max/mdev = 1500.000/1500.000/1500.000/0.000 ms, pipe 2, ipg/ewma 1000.000/1500.000 ms
`, ""},
		{"flood", Config{Count: 5, Flood: true, Wait: time.Second}, func(seq uint16, p []byte) []late {
			switch seq {
			case 2:
				bad := good(ms, seq, p)
				bad.BadChecksum = true
				return []late{bad}
			case 3:
				return []late{{-1, Message{}, errors.New("no buffer space available")}}
			case 4:
				return []late{{ms, Message{From: agent, Type: 11, Seq: seq}, nil}}
			}
			return []late{good(ms, seq, p)}
		}, "PING 10.77.0.2 (10.77.0.2) 0(28) bytes of data.\n" +
			".\b \b.\bCE.\bE.\b \b" + `
--- 10.77.0.2 ping statistics ---
5 packets transmitted, 2 received, +1 corrupted, +1 errors, 60% packet loss, time 31ms
rtt min/avg/max/mdev = 1.000/1.000/1.000/0.000 ms, ipg/ewma 7.750/1.000 ms
`, ""},
		{"not sent", Config{Count: 1, Interval: time.Second}, func(uint16, []byte) []late {
			return []late{{-1, Message{}, errors.New("network is unreachable")}}
		}, `PING 10.77.0.2 (10.77.0.2) 0(28) bytes of data.

--- 10.77.0.2 ping statistics ---
1 packets transmitted, 0 received, 100% packet loss, time 0ms

`, "ping: network is unreachable\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := printed(t, c.config, c.answer)
			if out != c.out {
				t.Errorf("printed\n%q\nwant\n%q", out, c.out)
			}
			if err != c.err {
				t.Errorf("on stderr %q, want %q", err, c.err)
			}
			if !iputils.MatchString(out) {
				t.Errorf("the last lines do not match those of iputils:\n%s", out)
			}
		})
	}
}

// iputils matches the statistics as ping_common.c of iputils prints them.
var iputils = regexp.MustCompile(`\n--- [0-9a-f.:]+ ping statistics ---
\d+ packets transmitted, \d+ received(, \+\d+ duplicates)?(, \+\d+ corrupted)?(, \+\d+ errors)?, [\d.]+% packet loss, time \d+ms
(rtt min/avg/max/mdev = \d+\.\d{3}/\d+\.\d{3}/\d+\.\d{3}/\d+\.\d{3} ms)?(, )?(pipe \d+)?(, ipg/ewma \d+\.\d{3}/\d+\.\d{3} ms)?
$`)

func TestTripTime(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.000", 999 * time.Nanosecond: "0.000", 43 * time.Microsecond: "0.043", 999 * time.Microsecond: "0.999",
		ms: "1.00", 1234 * time.Microsecond: "1.23", 9994 * time.Microsecond: "9.99", 9995 * time.Microsecond: "10.0",
		12345 * time.Microsecond: "12.3", 99949 * time.Microsecond: "99.9", 99950 * time.Microsecond: "100", 42600 * ms: "42600",
	} {
		if got := tripTime(d); got != want {
			t.Errorf("%v is printed as %s, want %s", d, got, want)
		}
	}
}

func TestErrorText(t *testing.T) {
	agent6 := netip.MustParseAddr("2001:db8:77::2")
	for want, m := range map[string]Message{
		"Destination Net Unreachable":             {From: agent, Type: 3},
		"Frag needed and DF set (mtu = 1400)":     {From: agent, Type: 3, Code: 4, MTU: 1400},
		"Dest Unreachable, bad code: 99":          {From: agent, Type: 3, Code: 99},
		"Time to live exceeded":                   {From: agent, Type: 11},
		"Parameter problem":                       {From: agent, Type: 12, Code: 2},
		"Bad ICMP type: 42":                       {From: agent, Type: 42},
		"Destination unreachable: No route":       {From: agent6, Type: 1},
		"Packet too big (mtu = 1280)":             {From: agent6, Type: 2, MTU: 1280},
		"Time exceeded: Hop limit":                {From: agent6, Type: 3},
		"Parameter problem: unknown, bad code: 9": {From: agent6, Type: 4, Code: 9},
	} {
		if got := errorText(m); got != want {
			t.Errorf("%+v is printed as %q, want %q", m, got, want)
		}
	}
}
