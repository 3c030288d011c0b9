package trial

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/judge"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// fastest is the shortest interval that load tries.
const fastest = time.Millisecond

// load sends at a fixed interval, however slow the answers come.
func load() Scenario {
	return Scenario{
		Name: "load",
		About: "echo requests at a fixed interval however slow the answers; then twice as fast, again and again, " +
			"until one is not right or an interval would be under 1 ms",
		RFC:    "RFC 792, echo",
		Expect: "at the fixed interval each is answered once, in time, every byte right; what is lost at the faster ones is reported",
		Judge:  judge.Echo,
		Run:    runLoad,
		Met: func(exchanges []score.Exchange) string {
			var steady []score.Exchange
			for _, e := range exchanges {
				// Faster than asked for, a loss or a late answer does not count
				// against the agent, a wrong one or a second one does.
				if !strings.HasPrefix(e.Name, faster) || e.Outcome == score.Wrong {
					steady = append(steady, e)
				}
			}
			return allRight(steady)
		},
		Note: fastestRate,
	}
}

// faster begins the names of requests sent faster than the settings say.
const faster = "faster: "

// every begins the rest of each name.
const every = "every "

func runLoad(ctx context.Context, f *Field) ([]judge.Request, error) {
	e, err := f.openEcho(ctx, false)
	if err != nil {
		return nil, err
	}
	prefix := ""
	const most = 1<<16 - 1 // sequence numbers
	for interval := f.interval(); ; interval /= 2 {
		var failed int
		if failed, err = f.burst(ctx, e, prefix, interval); err != nil || failed > 0 || interval/2 < fastest || len(e.requests)+f.Settings.Count > most {
			break
		}
		prefix = faster
	}
	return e.close(ctx, err)
}

// burst sends a number of requests at an interval, waits until the last may no
// longer be answered, and says how many were not answered rightly.
func (f *Field) burst(ctx context.Context, e *echoSender, prefix string, interval time.Duration) (failed int, err error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var all []*echoRequest
	for i := range f.Settings.Count {
		r, err := e.send(fmt.Sprintf("%s%s%v, %d", prefix, every, interval, i+1), pingSize)
		if err != nil {
			return 0, err
		}
		all = append(all, r)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	ctx, cancel := context.WithTimeout(ctx, f.deadline())
	defer cancel()
	for _, r := range all {
		outcome, err := e.await(ctx, r)
		if err != nil {
			return failed, err
		}
		f.show(outcome)
		if outcome != score.Right {
			failed++
		}
	}
	return failed, f.listen(failed < len(all)) // they were waited for together
}
