package judge

import (
	"fmt"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// A receiver drops a fragment that it has, and one that stays alone. Only a whole second
// answer is a duplicate.
func TestJudgeRepeatedFragments(t *testing.T) {
	for _, test := range []struct {
		name  string
		order []int
		want  string
	}{
		{"once", []int{0, 1, 2}, ""},
		{"the first twice", []int{0, 0, 1, 2}, ""},
		{"the first again, too late", []int{0, 1, 2, 0}, ""},
		{"the last twice", []int{0, 1, 2, 2}, ""},
		{"each twice", []int{0, 0, 1, 1, 2, 2}, ""},
		{"all twice", []int{0, 1, 2, 0, 1, 2}, score.FaultDuplicate},
	} {
		for naming := range 3 {
			ping, asked := echoRequest(4, 7, 1, someData(100, 1)), datagramOf(4, 5000, 7, "data")
			reply, echo := echoReply(ping), answerOf(asked, "long enough for the third")
			reply.size, reply.df, echo.size, echo.df = 40, false, 16, false
			for i, answer := range []spelled{reply, echo} {
				s := newStream()
				s.naming = naming
				s.ask(false, []spelled{ping, asked}[i].packet())
				s.requests[0].RoundTrip = time.Millisecond
				s.read()
				all := answer.packets()
				for _, which := range test.order {
					s.write(1, all[which])
				}
				judged := []func() []score.Exchange{
					func() []score.Exchange { return Echo(s.requests, s.events, time.Second) },
					func() []score.Exchange { return Program(s.requests, s.events, time.Second) },
				}[i]
				t.Run(fmt.Sprintf("%s/naming%d/%d", test.name, naming, i), func(t *testing.T) { wantExchanges(t, judged(), test.want) })
			}
		}
	}
}
