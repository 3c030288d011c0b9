package ping

import "time"

// minLinger is how long iputils waits at its default interval. At a short
// interval iputils gives up so soon that a short pause of the agent counts as
// loss.
const minLinger = time.Second

// linger sets when to give up, once all requests are sent. Without any reply
// that is Wait after the last request. With a reply it is twice the longest
// round trip, as in iputils, but at least minLinger. A slower reply extends
// the deadline; a reply never shortens it, unless the wait had no limit.
func (p *pinger) linger(giveUp *time.Timer) {
	wait := p.config.Wait
	if p.stats.Received > 0 {
		wait = max(2*p.stats.Max, p.config.Interval, minLinger)
	}
	if until := p.last.Add(wait); p.allSent() && wait > 0 && until.After(p.until) {
		p.until = until
		giveUp.Reset(time.Until(until))
	}
}
