package fleet

import (
	"testing"

	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// An agent is hopeless if all its first cells failed for the same reason.
func TestHopeless(t *testing.T) {
	done, absent, other := record.Record{Agent: "a", State: record.Done}, record.Record{Agent: "a", State: record.Failed, Reason: "not found"},
		record.Record{Agent: "a", State: record.Failed, Reason: "no network"}
	for _, c := range []struct {
		name    string
		records []record.Record
		want    bool
		alike   int
	}{
		{"five failed for one reason", []record.Record{absent, absent, absent, absent, absent}, true, 5},
		{"only four failed", []record.Record{absent, absent, absent, absent}, false, 4},
		{"five failed after one was done", []record.Record{done, absent, absent, absent, absent, absent}, false, 5},
		{"five failed for two reasons", []record.Record{absent, absent, other, absent, absent}, false, 2},
		{"five failed for one reason, after one for another", []record.Record{other, absent, absent, absent, absent, absent}, true, 5},
		{"none failed", []record.Record{done, done, done, done, done}, false, 0},
		{"one cancelled", []record.Record{{Agent: "a", State: record.Cancelled}}, false, 0},
	} {
		s := standings{"a": {Name: "a"}}
		for _, r := range c.records {
			s.count(r)
		}
		s.count(record.Record{Agent: "of another plan", State: record.Failed})
		if got := s.hopeless(c.records[len(c.records)-1]); got != c.want || s["a"].Alike != c.alike || s["a"].Ended != len(c.records) {
			t.Errorf("%s: hopeless %v of %+v, want %v and %d alike", c.name, got, *s["a"], c.want, c.alike)
		}
	}
}
