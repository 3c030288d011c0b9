package ping

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"time"
)

var agent = netip.MustParseAddr("10.77.0.2")

// A fake is a socket whose other end is a function, which returns the answers to a
// request with their delays. It uses only channels and timers.
type fake struct {
	answer func(seq uint16, payload []byte) []late
	in     chan incoming
	ended  chan struct{}
	once   sync.Once
}

// late is an answer with its delay.
type late struct {
	after time.Duration
	Message
	err error
}

func newFake(answer func(seq uint16, payload []byte) []late) *fake {
	return &fake{answer: answer, in: make(chan incoming, 100), ended: make(chan struct{})}
}

func (f *fake) Send(seq uint16, payload []byte) error {
	for _, l := range f.answer(seq, payload) {
		if l.after < 0 {
			return l.err
		}
		l.RTT = l.after
		time.AfterFunc(l.after, func() {
			select {
			case f.in <- incoming{l.Message, l.err}:
			case <-f.ended:
			}
		})
	}
	return nil
}

func (f *fake) Receive() (Message, error) {
	select {
	case in := <-f.in:
		return in.Message, in.err
	case <-f.ended:
		return Message{}, io.EOF
	}
}

func (f *fake) Close() error {
	f.once.Do(func() { close(f.ended) })
	return nil
}

// good makes a correct reply.
func good(after time.Duration, seq uint16, payload []byte) late {
	return late{after, Message{From: agent, Seq: seq, TTL: 64, Data: payload}, nil}
}

// A diary is a Reporter that records its calls.
type diary struct{ lines []string }

func (d *diary) note(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) Sent()            { d.note("sent") }
func (d *diary) Unsent(err error) { d.note("unsent %v", err) }
func (d *diary) Error(m Message)  { d.note("error %d", m.Seq) }
func (d *diary) Silent()          { d.note("silent") }
func (d *diary) Done(Statistics)  { d.note("done") }

func (d *diary) Reply(r Reply) {
	line := fmt.Sprintf("reply %d", r.Seq)
	for _, mark := range []struct {
		set  bool
		name string
	}{{r.Duplicate, "dup"}, {r.Stray, "stray"}, {r.Elsewhere, "elsewhere"}, {r.BadChecksum, "checksum"}, {r.Truncated(), "short"}, {r.Wrong >= 0, "wrong"}} {
		if mark.set {
			line += " " + mark.name
		}
	}
	d.note("%s", line)
}

func (d *diary) String() string { return strings.Join(d.lines, ", ") }

var errGone = errors.New("gone")
