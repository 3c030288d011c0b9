package ping

import "time"

// leastLinger is what iputils has at its usual interval. With a short one it
// gives up so fast that an agent's pause for breath is loss.
const leastLinger = time.Second

// linger sets when to give up, once all requests are sent: so long after the
// last one as Wait says, or with a reply twice the longest round trip as with
// iputils, but at least leastLinger. A reply that was slower than those before
// it prolongs that; none cuts it short, unless it was for ever.
func (p *pinger) linger(giveUp *time.Timer) {
	wait := p.config.Wait
	if p.stats.Received > 0 {
		wait = max(2*p.stats.Max, p.config.Interval, leastLinger)
	}
	if until := p.last.Add(wait); p.allSent() && wait > 0 && until.After(p.until) {
		p.until = until
		giveUp.Reset(time.Until(until))
	}
}
