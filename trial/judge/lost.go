package judge

import "fmt"

// lost says why a request got no answer. One that is not whole has none: a host
// throws its fragments away in the end (RFC 791 section 3.2).
func (q *asked) lost(j *journal) string {
	parts, _ := onceEach(q.Request)
	if len(parts) == 0 || len(parts) >= q.Fragments {
		return j.lost(q.Numbers)
	}
	read := 0
	for _, p := range parts {
		if _, ok := j.delivered[p.Number]; ok {
			read++
		}
	}
	return fmt.Sprintf("%d of %d fragments reached the agent", read, q.Fragments)
}
