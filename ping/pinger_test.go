package ping

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
)

const ms = time.Millisecond

// run pings in a synctest bubble, and returns the results and the time it took.
func run(t *testing.T, config Config, answer func(seq uint16, payload []byte) []late) (s Statistics, d *diary, took time.Duration, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		d, config.To = new(diary), agent
		s, err = Run(t.Context(), newFake(answer), config, d)
		took = time.Since(start)
		time.Sleep(time.Hour) // lets late answers arrive
	})
	return s, d, took, err
}

func TestRun(t *testing.T) {
	second := Config{Count: 3, Interval: time.Second, Wait: 10 * time.Second, Size: 56}
	once := func(c Config) Config { c.Count = 1; return c }
	for _, c := range []struct {
		name   string
		config Config
		answer func(seq uint16, payload []byte) []late
		want   string
		took   time.Duration
	}{
		{"all answered", second, func(seq uint16, p []byte) []late {
			return []late{good(10*ms, seq, p)}
		}, "sent, reply 1, sent, reply 2, sent, reply 3, done", 2010 * ms},
		{"silence", second, func(uint16, []byte) []late { return nil },
			"sent, sent, sent, silent, done", 12 * time.Second},
		{"a wait without limit also gives the hint", Config{Interval: 6 * time.Second, Count: 3, Wait: 0}, func(seq uint16, p []byte) []late {
			return []late{good(30*time.Second, seq, p)}
		}, "sent, sent, silent, sent, reply 1, reply 2, reply 3, done", 42 * time.Second},
		{"the last one lost: twice the longest round trip", second, func(seq uint16, p []byte) []late {
			if seq == 3 {
				return nil
			}
			return []late{good(700*ms, seq, p)}
		}, "sent, reply 1, sent, reply 2, sent, done", 3400 * ms},
		{"the last one lost: at least one interval", second, func(seq uint16, p []byte) []late {
			if seq == 3 {
				return nil
			}
			return []late{good(10*ms, seq, p)}
		}, "sent, reply 1, sent, reply 2, sent, done", 3000 * ms},
		{"a slow agent: each reply is slower than the one before", second, func(seq uint16, p []byte) []late {
			return []late{good([]time.Duration{9000 * ms, 10500 * ms, 12000 * ms}[seq-1], seq, p)}
		}, "sent, sent, sent, reply 1, reply 2, reply 3, done", 14 * time.Second},
		{"a quick reply does not cut the wait for the others short", second, func(seq uint16, p []byte) []late {
			if seq == 3 {
				return []late{good(10*ms, seq, p)}
			}
			return []late{good(9*time.Second, seq, p)}
		}, "sent, sent, sent, reply 3, reply 1, reply 2, done", 10 * time.Second},
		{"no limit lasts until a reply shows how long one takes", Config{Count: 2, Interval: time.Second, Wait: 0, Size: 56}, func(seq uint16, p []byte) []late {
			if seq == 2 {
				return nil
			}
			return []late{good(5*time.Second, seq, p)}
		}, "sent, sent, reply 1, done", 11 * time.Second},
		{"a duplicate", second, func(seq uint16, p []byte) []late {
			if seq != 2 {
				return []late{good(10*ms, seq, p)}
			}
			return []late{good(10*ms, seq, p), good(20*ms, seq, p)}
		}, "sent, reply 1, sent, reply 2, reply 2 dup, sent, reply 3, done", 2010 * ms},
		{"out of order", second, func(seq uint16, p []byte) []late {
			return []late{good(time.Duration(4-seq)*1200*ms, seq, p)}
		}, "sent, sent, sent, reply 3, reply 2, reply 1, done", 3600 * ms},
		{"an error, then the reply", second, func(seq uint16, p []byte) []late {
			if seq != 1 {
				return []late{good(10*ms, seq, p)}
			}
			return []late{{10 * ms, Message{From: agent, Type: 3, Seq: seq}, nil}, good(20*ms, seq, p)}
		}, "sent, error 1, reply 1, sent, reply 2, sent, reply 3, done", 2010 * ms},
		{"errors alone", once(second), func(seq uint16, _ []byte) []late {
			return []late{{10 * ms, Message{From: agent, Type: 3, Seq: seq}, nil}}
		}, "sent, error 1, done", 10 * ms},
		{"never sent, and from elsewhere", once(second), func(seq uint16, p []byte) []late {
			other := good(20*ms, seq, p)
			other.From = netip.MustParseAddr("192.0.2.1")
			return []late{good(10*ms, 77, p), other}
		}, "sent, reply 77 stray, reply 1 elsewhere, done", 20 * ms},
		{"a wrong byte, one short", Config{Count: 2, Interval: time.Second, Wait: time.Second, Size: 56}, func(seq uint16, p []byte) []late {
			if seq == 1 {
				return []late{good(10*ms, seq, append(append([]byte{}, p[:20]...), p[19:55]...))}
			}
			return []late{good(10*ms, seq, p[:20])}
		}, "sent, reply 1 wrong, sent, reply 2 short, done", 1010 * ms},
		{"a bad checksum does not count as an answer", Config{Count: 1, Interval: time.Second, Wait: time.Second, Size: 56}, func(seq uint16, p []byte) []late {
			bad := good(10*ms, seq, p)
			bad.BadChecksum = true
			return []late{bad}
		}, "sent, reply 1 checksum, done", time.Second},
		{"not sent, error from Send", second, func(uint16, []byte) []late { return []late{{-1, Message{}, syscall.ENETUNREACH}} },
			"unsent network is unreachable, unsent network is unreachable, unsent network is unreachable, done", 2 * time.Second},
		{"not sent, error from Receive", once(second), func(seq uint16, _ []byte) []late {
			return []late{{0, Message{}, &Unsent{Seq: seq, Err: syscall.ENOBUFS}}}
		}, "sent, unsent no buffer space available, done", 0},
		{"flood: as fast as replies come", Config{Count: 4, Flood: true, Wait: time.Second}, func(seq uint16, p []byte) []late {
			return []late{good(2*ms, seq, p)}
		}, "sent, reply 1, sent, reply 2, sent, reply 3, sent, reply 4, done", 8 * ms},
		{"flood: 100 a second without replies", Config{Count: 3, Flood: true, Wait: time.Second}, func(uint16, []byte) []late { return nil },
			"sent, sent, sent, silent, done", 1020 * ms},
		{"flood continues from the newest answer", Config{Count: 4, Flood: true, Wait: time.Second}, func(seq uint16, p []byte) []late {
			if seq == 1 {
				return nil
			}
			return []late{good(2*ms, seq, p)}
		}, "sent, sent, reply 2, sent, reply 3, sent, reply 4, done", 1014 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, d, took, err := run(t, c.config, c.answer)
			if err != nil || took != c.took {
				t.Errorf("%v after %v, want nil after %v", err, took, c.took)
			}
			if d.String() != c.want {
				t.Errorf("got   %s\nwant  %s\nafter %v, %+v", d, c.want, took, s)
			}
		})
	}
}

func TestStatisticsOfARun(t *testing.T) {
	s, _, _, err := run(t, Config{Count: 4, Interval: time.Second, Wait: time.Second, Size: 8}, func(seq uint16, p []byte) []late {
		rtt := time.Duration(seq) * 100 * ms
		switch seq {
		case 2:
			bad := good(rtt, seq, p)
			bad.BadChecksum = true
			return []late{bad, good(1500*ms, seq, p), good(1700*ms, seq, p)}
		case 3:
			return []late{good(rtt, 99, p)}
		}
		return []late{good(rtt, seq, p)}
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Sent != 4 || s.Received != 3 || s.Duplicates != 1 || s.Corrupted != 1 || s.Errors != 1 || s.Took != 3*time.Second || s.Pipe != 2 || s.Loss() != 25 {
		t.Errorf("%+v, loss %v", s, s.Loss())
	}
	if s.Min != 100*ms || s.Max != 1700*ms || s.Average() != 925*ms || s.Deviation().Round(ms) != 687*ms || s.Gap() != time.Second {
		t.Errorf("rtt %v/%v/%v/%v, gap %v", s.Min, s.Average(), s.Max, s.Deviation(), s.Gap())
	}
}

func TestRunIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*ms)
		defer cancel()
		d := new(diary)
		s, err := Run(ctx, newFake(func(seq uint16, p []byte) []late { return []late{good(ms, seq, p)} }), Config{To: agent, Interval: time.Second, Wait: time.Second}, d)
		if err != nil || s.Sent != 3 || s.Received != 3 {
			t.Errorf("%+v, %v, reported %s; want 3 answered", s, err, d)
		}
	})
}

func TestRunEndsWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(500*ms, func() { cancel(&control.Ended{Session: "x", Why: "its server was stopped"}) })
		d := new(diary)
		_, err := Run(ctx, newFake(func(uint16, []byte) []late { return nil }), Config{To: agent, Interval: time.Second}, d)
		if _, ok := errors.AsType[*control.Ended](err); !ok || d.String() != "sent, done" {
			t.Errorf("%v, reported %s", err, d)
		}
	})
}

func TestRunEndsWithItsSocket(t *testing.T) {
	s, d, took, err := run(t, Config{Count: 10, Interval: time.Second, Wait: time.Second}, func(seq uint16, p []byte) []late {
		if seq < 3 {
			return []late{good(ms, seq, p)}
		}
		return []late{{500 * ms, Message{}, errGone}}
	})
	if !errors.Is(err, errGone) || s.Sent != 3 || s.Received != 2 || took != 2500*ms {
		t.Errorf("%+v, %v after %v, reported %s", s, err, took, d)
	}
	_, d, _, err = run(t, Config{Interval: time.Second}, func(uint16, []byte) []late { return []late{{ms, Message{}, errGone}} })
	if !errors.Is(err, errGone) || d.String() != "sent, done" {
		t.Errorf("%v, reported %s; want no Silent", err, d)
	}
}

// The pace does not drift, and requests missed in a long pause are not made up for.
func TestPace(t *testing.T) {
	var at []time.Duration
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := Run(t.Context(), newFake(func(seq uint16, p []byte) []late {
			at = append(at, time.Since(start))
			switch seq {
			case 2:
				time.Sleep(300 * ms) // a slow send
			case 3:
				time.Sleep(5 * time.Second)
			}
			return []late{good(0, seq, p)}
		}), Config{To: agent, Count: 5, Interval: time.Second}, new(diary))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
	})
	want := []time.Duration{0, 1000 * ms, 2000 * ms, 7000 * ms, 8000 * ms}
	for i := range want {
		if at[i] != want[i] {
			t.Fatalf("sent at %v, want %v", at, want)
		}
	}
}

// A run can have more requests than the 65,536 sequence numbers.
func TestWrap(t *testing.T) {
	const count = 70000
	s, _, _, err := run(t, Config{Count: count, Flood: true, Wait: time.Second}, func(seq uint16, p []byte) []late {
		if seq == 5 || seq == 65535 {
			return nil
		}
		return []late{good(0, seq, p)}
	})
	if err != nil || s.Sent != count || s.Received != count-3 || s.Duplicates+s.Errors != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}
