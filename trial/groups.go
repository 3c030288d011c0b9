package trial

import (
	"fmt"
	"path/filepath"
	"strings"
)

// groups are the scenarios that can share a link, in order.
func groups(scenarios []Scenario) [][]Scenario {
	var all [][]Scenario
	for _, s := range scenarios {
		if n := len(all); n > 0 && all[n-1][0].Impair == s.Impair {
			all[n-1] = append(all[n-1], s)
			continue
		}
		all = append(all, []Scenario{s})
	}
	return all
}

// Recordings are the files that the trial's own sessions record to, one each.
func (o *Options) Recordings() []string {
	if o.Record == "" {
		return nil
	}
	var all []string
	for i := range groups(o.Scenarios) {
		all = append(all, o.recording(i))
	}
	return all
}

// recording is the file of a session: from the second on they are numbered.
func (o *Options) recording(group int) string {
	if group == 0 {
		return o.Record
	}
	end := filepath.Ext(o.Record)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(o.Record, end), group+1, end)
}
