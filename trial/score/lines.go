package score

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Types of the lines of --jsonl.
const (
	LineTrial    = "trial"    // the first line, which describes the trial
	LineRequest  = "request"  // the verdict on a request
	LineScenario = "scenario" // the result of a scenario, after its end
)

// Line is one line of --jsonl. A later line for the same scenario, repetition and n
// replaces an earlier one, because another answer may change a verdict.
type Line struct {
	Type     string    `json:"type"`
	Time     time.Time `json:"time"` // when it was written
	Scenario string    `json:"scenario,omitempty"`
	Repeat   int       `json:"repeat,omitempty"` // from 1
	Seed     uint64    `json:"seed,omitempty"`

	Head   *Head     `json:"trial,omitempty"`   // trial
	Judged *Exchange `json:"request,omitempty"` // request
	Cost   *Tally    `json:"cost,omitempty"`    // request: calls, characters and packets since the line before
	Result *Result   `json:"result,omitempty"`  // scenario: everything except the exchanges
	Link             // scenario: where it ran
}

// Link is what a report says about the link and its session. Its fields are those of Report.
type Link struct {
	Network string `json:"network,omitempty"`
	Session string `json:"session,omitempty"`
	Assist  string `json:"assist,omitempty"`
}

// Head identifies the trial that a file of lines belongs to. Another trial cannot continue
// it.
type Head struct {
	Version  int      `json:"version"` // Version
	Program  string   `json:"program"` // version of tun-mcp
	Agent    Agent    `json:"agent"`
	Assist   string   `json:"assist"`
	Settings Settings `json:"settings"`
	Handlers bool     `json:"handlers,omitempty"` // the agent may install handlers
	Handler  string   `json:"handler,omitempty"`  // with the agent handler: the start of its program's SHA-256
}

// differs returns how now differs from h, or "" if it is the same trial. The number of
// repetitions may differ.
func (h Head) differs(now Head) string {
	for _, c := range []struct {
		what     string
		then, is any
	}{
		{"the version", h.Version, now.Version}, {"--agent", h.Agent.Name, now.Agent.Name}, {"--assist", h.Assist, now.Assist},
		{"--count", h.Settings.Count, now.Settings.Count}, {"--seed", h.Settings.Seed, now.Settings.Seed},
		{"--interval in ms", h.Settings.Interval, now.Settings.Interval}, {"--deadline in ms", h.Settings.Deadline, now.Settings.Deadline},
		{"--handlers on", h.Handlers, now.Handlers}, {"the SHA-256 of the program of --handler", h.Handler, now.Handler},
	} {
		if c.then != c.is {
			return fmt.Sprintf("%s was %v and is now %v", c.what, c.then, c.is)
		}
	}
	return ""
}

// Lines is an open --jsonl file. A nil *Lines keeps nothing.
type Lines struct {
	file  *os.File
	cells map[lineCell]*Past
}

type lineCell struct {
	scenario string
	repeat   int
}

// Past is what a file has from earlier runs about one repetition of a scenario.
type Past struct {
	Judged map[int]Exchange // by N
	Cost   Tally            // of those exchanges
	Result *Result          // nil if the scenario had not ended
	Link   Link             // where it ended
}

// OpenLines opens path to continue its trial or to begin one, and removes an incomplete
// last line. It returns an error, and leaves the file alone, if path holds another trial or
// something else.
func OpenLines(path string, head Head) (*Lines, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	l := &Lines{file: f, cells: make(map[lineCell]*Past)}
	if err = l.resume(head); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return l, nil
}

func (l *Lines) resume(head Head) error {
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // a pipe or /dev/stdout has no past
		return l.append(Line{Type: LineTrial, Head: &head})
	}
	whole, first := int64(0), true
	in := bufio.NewReader(l.file)
	for n := 1; ; n++ {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // an incomplete line, because the program ended while writing it
		} else if err != nil {
			return err
		}
		var line Line
		if err := json.Unmarshal(bytes.TrimSpace(text), &line); err != nil {
			return fmt.Errorf("line %d is not JSON of a trial: %w; name a new file", n, err)
		}
		if first && (line.Type != LineTrial || line.Head == nil) {
			return fmt.Errorf("its first line is not that of a trial; name a new file")
		}
		if line.Head != nil {
			if what := line.Head.differs(head); what != "" {
				return fmt.Errorf("it holds another trial: %s; give the same flags to continue it, or name a new file", what)
			}
		}
		first = false
		l.take(line)
		whole += int64(len(text))
	}
	if first && info.Size() > 0 && whole == 0 {
		start := make([]byte, min(info.Size(), int64(len(lineStart))))
		if _, err := l.file.ReadAt(start, 0); err != nil || !bytes.HasPrefix([]byte(lineStart), start) {
			return errors.New("its first line is not that of a trial; name a new file")
		}
	}
	if err := l.file.Truncate(whole); err != nil {
		return err
	}
	if _, err := l.file.Seek(whole, io.SeekStart); err != nil {
		return err
	}
	if first {
		return l.append(Line{Type: LineTrial, Head: &head})
	}
	return nil
}

// lineStart is the beginning of every file of lines.
const lineStart = `{"type":"trial",`

// take adds a line to the past of its cell.
func (l *Lines) take(line Line) {
	if line.Scenario == "" {
		return
	}
	past := l.past(line.Scenario, line.Repeat)
	switch {
	case line.Judged != nil:
		past.Judged[line.Judged.N] = *line.Judged
		if line.Cost != nil {
			past.Cost.Add(*line.Cost)
		}
	case line.Result != nil:
		past.Result, past.Link = line.Result, line.Link
	}
}

func (l *Lines) past(scenario string, repeat int) *Past {
	key := lineCell{scenario, repeat}
	if l.cells[key] == nil {
		l.cells[key] = &Past{Judged: make(map[int]Exchange)}
	}
	return l.cells[key]
}

// Past returns what the file had about a repetition (from 1) of a scenario when it was
// opened.
func (l *Lines) Past(scenario string, repeat int) Past {
	if l == nil {
		return Past{}
	}
	return *l.past(scenario, repeat)
}

// Write appends a line, with the current time. When Write returns, the operating system has
// the line, so it is not lost even if this program crashes.
func (l *Lines) Write(line Line) error {
	if l == nil {
		return nil
	}
	return l.append(line)
}

func (l *Lines) append(line Line) error {
	line.Time = time.Now().UTC()
	data, err := json.Marshal(line)
	if err == nil {
		_, err = l.file.Write(append(data, '\n'))
	}
	return err
}

// Close closes the file.
func (l *Lines) Close() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
