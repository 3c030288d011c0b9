package score

import (
	"encoding/json"
	"io"
)

// head is what tells a report from other JSON: keys that each has, whatever its
// version.
type head struct {
	Version  *json.Number    `json:"version"`
	Program  *string         `json:"program"`
	Started  json.RawMessage `json:"started"`
	Settings json.RawMessage `json:"settings"`
}

// ofReport tells whether it is the head of a report.
func (h *head) ofReport() bool {
	return h.Version != nil && h.Program != nil && h.Started != nil && h.Settings != nil
}

// IsReport tells whether what is read is a report, of any version.
func IsReport(from io.Reader) bool {
	var h head
	return json.NewDecoder(io.LimitReader(from, MaxReportBytes)).Decode(&h) == nil && h.ofReport()
}
