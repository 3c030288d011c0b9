package score

import (
	"encoding/json"
	"io"
)

// head holds the keys that tell a report of any version from other JSON.
type head struct {
	Version  *json.Number    `json:"version"`
	Program  *string         `json:"program"`
	Started  json.RawMessage `json:"started"`
	Settings json.RawMessage `json:"settings"`
}

// ofReport reports whether h is the head of a report.
func (h *head) ofReport() bool {
	return h.Version != nil && h.Program != nil && h.Started != nil && h.Settings != nil
}

// IsReport reports whether from has a report, of any version.
func IsReport(from io.Reader) bool {
	var h head
	return json.NewDecoder(io.LimitReader(from, MaxReportBytes)).Decode(&h) == nil && h.ofReport()
}
