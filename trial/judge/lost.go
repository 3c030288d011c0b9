package judge

import "fmt"

// lost returns the reason why a request got no answer. An incomplete request has none,
// because a host eventually drops its fragments (RFC 791 section 3.2).
func (q *asked) lost(j *journal) string {
	parts, _ := onceEach(q.Request)
	if len(parts) == 0 || len(parts) >= q.Fragments {
		return j.lost(q.Numbers)
	}
	read := 0
	for _, p := range parts {
		_, ok := j.delivered[p.Number]
		if ok || j.handled[p.Number] == "dropped" { // a handler stores a fragment and drops the packet
			read++
		}
	}
	return fmt.Sprintf("%d of %d fragments reached the agent", read, q.Fragments)
}
