package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tun-mcp/tun-mcp/handler"
	"github.com/tun-mcp/tun-mcp/packet"
)

// FailuresInARow is the number of consecutive failures after which a handler is
// removed.
const FailuresInARow = 10

// HandlerStatus describes the work of the installed handler, or else of the
// last one. Seen = Answered + Dropped + Passed + Failed.
type HandlerStatus struct {
	Installed bool      `json:"installed"`
	Version   int       `json:"version"`                // how many handlers were installed in this session, including this one
	Since     time.Time `json:"since"`                  // when it was installed
	Chars     int       `json:"chars"`                  // characters of its source
	Seen      uint64    `json:"seen"`                   // packets it ran on
	Answered  uint64    `json:"answered"`               // packets it sent an answer for
	Dropped   uint64    `json:"dropped"`                // packets it returned [] for
	Passed    uint64    `json:"passed_on"`              // packets it left to the agent
	Failed    uint64    `json:"failed"`                 // packets it failed on, which went to the agent
	Written   uint64    `json:"written"`                // packets it wrote, including those of tick
	TickFails uint64    `json:"ticks_failed"`           // failed runs of tick
	Mean      float64   `json:"mean_us"`                // duration of a run on a packet, in microseconds
	Max       float64   `json:"max_us"`                 //
	Last      string    `json:"last_failure,omitempty"` // text of the last failure
	Out       string    `json:"taken_out,omitempty"`    // why it is no longer installed
}

// handled is the session's state for its handler, guarded by Session.mu.
type handled struct {
	status  HandlerStatus
	last    *handler.Handler // the last one installed
	ran     time.Duration    // total duration of the runs on packets
	longest time.Duration
	inARow  int    // failures since the last handled packet
	ticks   int    // failures of tick since the last success
	notice  string // for the next read
}

// HandlerView is a handler with its source and its log.
type HandlerView struct {
	HandlerStatus
	Source string
	Log    []string // its last lines, oldest first; may contain text from packets
}

// Handler returns the installed handler, or else the last one. Its version is 0
// if there was none.
func (s *Session) Handler() HandlerView {
	s.handling.Lock()
	defer s.handling.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	var view HandlerView
	if status := s.handlerStatus(); status != nil {
		view = HandlerView{*status, s.handler.last.Source(), s.handler.last.Log()}
	}
	return view
}

// handlerStatus returns nil if no handler was ever installed. s.mu is held.
func (s *Session) handlerStatus() *HandlerStatus {
	if s.handler.last == nil {
		return nil
	}
	status := s.handler.status
	if status.Seen > 0 {
		status.Mean = float64(s.handler.ran.Nanoseconds()) / float64(status.Seen) / 1000
	}
	status.Max = float64(s.handler.longest.Nanoseconds()) / 1000
	return &status
}

// Install replaces the installed handler between two packets, so that each
// packet is handled by exactly one of the two. A nil h removes the handler.
// Install returns the version. The session owns h from then on. Only the call
// is taken from ctx.
func (s *Session) Install(ctx context.Context, h *handler.Handler) (version int, err error) {
	s.handling.Lock()
	defer s.handling.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, fmt.Errorf("installing a handler: %w", s.err)
	}
	if h == nil {
		if s.program != nil {
			s.takeOut("taken out", callOf(ctx).Number)
		}
		return s.handler.status.Version, nil
	}
	s.program = h
	now := time.Now()
	version = s.handler.status.Version + 1
	chars := utf8.RuneCountInString(h.Source())
	s.handler = handled{last: h, status: HandlerStatus{Installed: true, Version: version, Since: s.steady(now), Chars: chars}}
	s.publish(Event{Event: EventHandler, Time: now, Why: "installed", Version: version, CharsIn: chars, Call: callOf(ctx).Number})
	if h.HasTick() {
		s.reader.Add(1)
		go s.tick(h)
	}
	return version, nil
}

// takeOut removes the handler. s.handling and s.mu are held.
func (s *Session) takeOut(why string, call int) {
	s.program = nil
	s.handler.status.Installed, s.handler.status.Out = false, why
	s.publish(Event{Event: EventHandler, Time: time.Now(), Why: why, Version: s.handler.status.Version, Call: call})
}

// handle runs the handler on p, which is already numbered and recorded.
// s.handling is held.
func (s *Session) handle(p *Packet) {
	began := time.Now()
	packets, taken, err := s.program.Handle(p.Data)
	took := time.Since(began)
	written, err := s.answer(packets, p.Number, err)

	s.mu.Lock()
	defer s.mu.Unlock()
	h := &s.handler
	h.status.Seen++
	h.status.Written += uint64(written)
	h.ran += took
	h.longest = max(h.longest, took)
	s.counters.Received++
	if taken && p.Number >= s.record.first {
		if segment, ok := packet.SYNOf(p.Data); ok {
			s.tcp.opened(segment, p.Number)
		}
	}
	switch {
	case err != nil:
		h.status.Failed++
		if e := s.record.get(p.Number); e != nil {
			e.failed = s.failure(err)
		}
		s.publish(Event{Event: EventHandler, Number: p.Number, Time: time.Now(), Why: "failed: " + err.Error(), Version: h.status.Version})
		s.countFailure(&h.inARow, err)
		s.enqueue(p)
	case !taken:
		h.inARow = 0
		h.status.Passed++
		s.enqueue(p)
	case len(packets) == 0:
		h.inARow = 0
		h.status.Dropped++
		s.counters.Handled++
		s.publish(Event{Event: EventHandler, Number: p.Number, Time: time.Now(), Why: "dropped", Version: h.status.Version})
	default:
		h.inARow = 0
		h.status.Answered++
		s.counters.Handled++
	}
}

// notWritten is an error that is not the handler program's fault: the link did
// not take a packet, or the rate limit was reached.
type notWritten struct{ error }

func (e notWritten) Unwrap() error { return e.error }

// answer writes the packets that the handler returned, unless it failed with
// err. If the link or Config.Check refuses one, that is a failure and none is
// written.
func (s *Session) answer(packets [][]byte, replyTo int, err error) (written int, _ error) {
	if err != nil {
		return 0, err
	}
	for i, data := range packets {
		if err := s.CheckHandlers(data); err != nil {
			s.refused(data, replyTo, err, true)
			return 0, fmt.Errorf("it returned a packet that is not sent (%d of %d): %w", i+1, len(packets), err)
		}
	}
	for i, data := range packets {
		if _, err := s.write(context.Background(), data, replyTo, true); err != nil {
			if _, tooFast := errors.AsType[*RateError](err); tooFast {
				s.refused(data, replyTo, err, true)
			}
			return i, notWritten{fmt.Errorf("%d of %d packets that it returned were sent: %w", i, len(packets), err)}
		}
	}
	return len(packets), nil
}

// CheckHandlers returns the reason why a packet from the handler would not be
// written, or nil.
func (s *Session) CheckHandlers(data []byte) error {
	if err := s.CheckLink(data); err != nil || !s.config.Check {
		return err
	}
	faults := packet.Check(data)
	if len(faults) == 0 {
		return nil
	}
	texts := make([]string, len(faults))
	for i, f := range faults {
		texts[i] = f.String()
	}
	return errors.New(strings.Join(texts, "; "))
}

// failure returns the text to keep for a failure. Equal texts share memory.
// s.mu is held.
func (s *Session) failure(err error) string {
	if text := err.Error(); text != s.handler.status.Last {
		s.handler.status.Last = text
	}
	return s.handler.status.Last
}

// countFailure counts consecutive failures of handle or of tick, and removes
// the handler if there are too many. s.handling and s.mu are held.
func (s *Session) countFailure(inARow *int, err error) {
	if _, ok := errors.AsType[notWritten](err); ok || s.program == nil {
		return
	}
	if *inARow++; *inARow < FailuresInARow {
		return
	}
	why := fmt.Sprintf("taken out after %d failures in a row, the last: %s", FailuresInARow, s.failure(err))
	s.handler.notice = fmt.Sprintf("Your handler (version %d) was %s\nAll packets come to you now. Correct it and install it again.", s.handler.status.Version, why)
	s.takeOut(why, 0)
}

// tick runs h's tick every 100 ms until h is replaced or the link ends.
func (s *Session) tick(h *handler.Handler) {
	defer s.reader.Done()
	began := time.Now()
	ticker := time.NewTicker(handler.TickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-ticker.C:
			if !s.tickOnce(h, time.Since(began)) {
				return
			}
		}
	}
}

// tickOnce runs h's tick once and reports whether h is still the handler.
func (s *Session) tickOnce(h *handler.Handler, since time.Duration) bool {
	s.handling.Lock()
	defer s.handling.Unlock()
	if s.program != h {
		return false
	}
	packets, err := h.Tick(since)
	written, err := s.answer(packets, 0, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler.status.Written += uint64(written)
	if err == nil {
		s.handler.ticks = 0
		return true
	}
	s.handler.status.TickFails++
	err = fmt.Errorf("tick: %w", err)
	s.failure(err)
	s.publish(Event{Event: EventHandler, Time: time.Now(), Why: err.Error(), Version: s.handler.status.Version})
	s.countFailure(&s.handler.ticks, err)
	return s.program == h
}
