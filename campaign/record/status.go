package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// ErrLocked says that another process runs the campaign.
var ErrLocked = errors.New("another start is running this campaign; watch it with status, or wait until it has ended")

// Status is the progress of a campaign, status.json. A start rewrites it every
// second.
type Status struct {
	Name      string    `json:"name"`
	Phase     string    `json:"phase"` // running, paused, cancelled, done
	Why       string    `json:"why,omitempty"`
	Trouble   string    `json:"trouble,omitempty"` // what prevents progress at the moment
	Written   time.Time `json:"written"`
	Cells     int       `json:"cells"`
	Elsewhere bool      `json:"elsewhere,omitempty"` // its server is not the embedded one
	Sum
	Running int            `json:"running"`
	Agents  []AgentStatus  `json:"agents"`
	Workers []WorkerStatus `json:"workers"`
	Seconds float64        `json:"seconds"` // running time, over all starts
	Rate    float64        `json:"rate"`    // cells a minute, lately
	Left    float64        `json:"left"`    // seconds, estimated; 0 means unknown
	Bytes   uint64         `json:"bytes"`   // memory that this program holds
}

// AgentStatus is the progress of one agent's cells.
type AgentStatus struct {
	Name    string `json:"name"`
	Cells   int    `json:"cells"`
	Ended   int    `json:"ended"`
	Failed  int    `json:"failed"`
	Running int    `json:"running"`
	Limit   int    `json:"limit"`
	Reason  string `json:"reason,omitempty"` // of the cell that failed last
	Alike   int    `json:"alike,omitempty"`  // cells that failed for this reason in a row
}

// WorkerStatus is what one worker is running.
type WorkerStatus struct {
	Name    string   `json:"name"`
	Running []string `json:"running"` // cells
}

// SaveStatus writes status.json.
func (f Folder) SaveStatus(s Status) error { return f.write(f.statusFile(), s) }

// Status reads status.json.
func (f Folder) Status() (Status, error) {
	var s Status
	data, err := os.ReadFile(f.statusFile())
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil {
		return s, fmt.Errorf("reading the campaign's status: %w; start it first", err)
	}
	return s, nil
}

// Locked reports whether a start is running. If this user cannot find out, it reports
// that none is.
func (f Folder) Locked() bool {
	if !f.exists(f.lockFile()) {
		return false
	}
	release, err := f.Lock()
	if err == nil {
		release()
	}
	return errors.Is(err, ErrLocked)
}
