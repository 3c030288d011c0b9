package ping

import (
	"context"
	"errors"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
)

// slowest is the interval of a run with interval zero while nothing comes back:
// 100 requests a second.
const slowest = 10 * time.Millisecond

// Run pings until Count requests are answered or given up, ctx ends, or the
// socket fails. The end of ctx is an error only if its cause is a
// *control.Ended. A failed socket's error is returned. Run closes the socket,
// possibly twice.
func Run(ctx context.Context, socket Socket, config Config, report Reporter) (Statistics, error) {
	p := &pinger{config: config, socket: socket, report: report, ledger: new(ledger)}
	incoming := make(chan incoming, 1024) // a burst of replies must not block sending
	stopped, received := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(received)
		receive(socket, incoming, stopped)
	}()
	hangUp := context.AfterFunc(ctx, func() { socket.Close() }) // wakes even a blocked Send
	err := p.run(ctx, incoming)
	hangUp()
	close(stopped)
	socket.Close()
	<-received

	if ended, ok := errors.AsType[*control.Ended](context.Cause(ctx)); ok && err == nil {
		err = ended
	}
	if err == nil {
		p.silent()
	}
	p.stats.Pipe = p.ledger.pipe
	report.Done(p.stats)
	return p.stats, err
}

// A pinger is one run; only the goroutine of run touches it.
type pinger struct {
	config    Config
	socket    Socket
	report    Reporter
	ledger    *ledger
	stats     Statistics
	first     time.Time // when the first request was due
	last      time.Time // when the last one was sent
	due       time.Time // when the next one is due
	until     time.Time // when to give up, once all are sent; zero means never
	explained bool      // a reply or an error came, so Silent is not called
}

func (p *pinger) run(ctx context.Context, messages <-chan incoming) error {
	next := time.NewTimer(0)
	defer next.Stop()
	silence := time.NewTimer(orDefault(p.config.Wait))
	defer silence.Stop()
	giveUp := time.NewTimer(0)
	giveUp.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case in := <-messages:
			if err := p.take(in); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
			if p.allSent() && p.ledger.open == 0 {
				return nil
			}
			p.linger(giveUp)
			if p.config.Interval == 0 && !p.allSent() && p.ledger.inFlight() == 0 {
				next.Reset(0)
			}
		case <-next.C:
			p.send(ctx)
			if !p.allSent() {
				next.Reset(time.Until(p.due))
			} else if p.ledger.open == 0 { // it could not be sent
				return nil
			}
			p.linger(giveUp)
		case <-silence.C:
			p.silent()
		case <-giveUp.C:
			return nil
		}
	}
}

func orDefault(wait time.Duration) time.Duration {
	if wait == 0 {
		return DefaultWait
	}
	return wait
}

func (p *pinger) allSent() bool { return p.config.Count > 0 && p.ledger.sent >= p.config.Count }

// send sends a request and sets when the next one is due. After a delay the
// interval restarts from now: missed requests are not made up for.
func (p *pinger) send(ctx context.Context) {
	now := time.Now()
	if p.first.IsZero() {
		p.first, p.due = now, now
	}
	step := p.config.Interval
	if step == 0 {
		step, p.due = slowest, now
	}
	if p.due = p.due.Add(step); p.due.Before(now) {
		p.due = now.Add(step)
	}
	seq := p.ledger.next(now)
	p.stats.Sent, p.stats.Took = p.ledger.sent, now.Sub(p.first)
	err := p.socket.Send(seq, payload(p.config.Size, now))
	p.last = time.Now()
	switch {
	case err == nil:
		p.report.Sent()
	case ctx.Err() == nil:
		p.unsent(seq, err)
	}
}

func (p *pinger) unsent(seq uint16, err error) {
	p.explained = true
	p.ledger.fail(seq)
	p.report.Unsent(err)
}

// take processes one received message.
func (p *pinger) take(in incoming) error {
	if unsent, ok := errors.AsType[*Unsent](in.err); ok {
		p.unsent(unsent.Seq, unsent.Err)
		return nil
	}
	if in.err != nil {
		return in.err
	}
	p.explained = true
	if !in.IsReply() {
		p.stats.Errors++
		p.ledger.fail(in.Seq)
		p.report.Error(in.Message)
		return nil
	}
	r := Reply{Message: in.Message, Wrong: -1, Elsewhere: in.From != p.config.To}
	if p.ledger.states[in.Seq] == unused {
		r.Stray = true
		p.stats.Errors++
		p.report.Reply(r)
		return nil
	}
	r.Want = payload(p.config.Size, p.ledger.times[in.Seq])
	r.Wrong = wrongByte(r.Data, r.Want)
	switch {
	case r.BadChecksum:
		p.stats.Corrupted++
	case p.ledger.reply(in.Seq) == answered:
		r.Duplicate = true
		p.stats.Duplicates++
		p.stats.add(r.RTT)
	default:
		p.stats.Received++
		p.stats.add(r.RTT)
	}
	p.report.Reply(r)
	return nil
}

// silent reports, at most once, that there was no answer.
func (p *pinger) silent() {
	if !p.explained {
		p.explained = true
		p.report.Silent()
	}
}
