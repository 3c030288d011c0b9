package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Folder is the path of a campaign's folder, which has all its files.
type Folder string

// FolderOf returns the default folder of a plan's campaign: the plan's path with the
// extension .campaign.
func FolderOf(planFile string) Folder {
	return Folder(strings.TrimSuffix(planFile, filepath.Ext(planFile)) + ".campaign")
}

// Paths in the folder.
func (f Folder) Results() string          { return filepath.Join(string(f), "results.jsonl") }
func (f Folder) Trials() string           { return filepath.Join(string(f), "trials") }
func (f Folder) Trial(cell string) string { return filepath.Join(f.Trials(), cell+".json") }
func (f Folder) Page(cell string) string  { return filepath.Join(f.Trials(), cell+".html") }
func (f Folder) Server() string           { return filepath.Join(string(f), "server") }
func (f Folder) Programs() string         { return filepath.Join(string(f), "bin") }
func (f Folder) Report() string           { return filepath.Join(string(f), "report.html") }
func (f Folder) statusFile() string       { return filepath.Join(string(f), "status.json") }
func (f Folder) planFile() string         { return filepath.Join(string(f), "plan.json") }
func (f Folder) lockFile() string         { return filepath.Join(string(f), "lock") }
func (f Folder) cancelFile() string       { return filepath.Join(string(f), "cancel") }
func (f Folder) Log() string              { return filepath.Join(string(f), "server.log") }
func (f Folder) exists(path string) bool  { _, err := os.Stat(path); return err == nil }
func (f Folder) Cancelled() bool          { return f.exists(f.cancelFile()) }
func (f Folder) Started() bool            { return f.exists(f.planFile()) }
func (f Folder) write(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	beside := path + ".new"
	if err := os.WriteFile(beside, append(data, '\n'), 0o644); err != nil {
		os.Remove(beside)
		return err
	}
	return os.Rename(beside, path)
}

// Make creates the folder if it does not exist. A folder with other files is an
// error.
func (f Folder) Make() error {
	entries, err := os.ReadDir(string(f))
	if err == nil && len(entries) > 0 && !f.exists(f.lockFile()) {
		return fmt.Errorf("the folder %s contains other files; choose another with --folder", f)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("opening the campaign's folder: %w", err)
	}
	if err := os.MkdirAll(f.Trials(), 0o755); err != nil {
		return fmt.Errorf("making the campaign's folder: %w; choose another with --folder", err)
	}
	return nil
}

// Kept is the started plan as plan.json stores it.
type Kept struct {
	Hash string    `json:"hash"`
	Plan plan.Plan `json:"plan"`
}

// Keep writes the plan into the folder. If the folder already has a plan that
// differs in more than its limits, Keep returns an error.
func (f Folder) Keep(p *plan.Plan) error {
	kept, err := f.Plan()
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case kept.Hash() != p.Hash():
		return fmt.Errorf("the plan was changed after its start in %s; only its limits may change, so undo the change, or start another campaign with --folder", f)
	}
	if err := f.write(f.planFile(), Kept{p.Hash(), *p}); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	return nil
}

// Plan returns the plan that was started in the folder. The error is
// fs.ErrNotExist if none was.
func (f Folder) Plan() (*plan.Plan, error) {
	data, err := os.ReadFile(f.planFile())
	if err != nil {
		return nil, err
	}
	var kept Kept
	if err := json.Unmarshal(data, &kept); err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.planFile(), err)
	}
	return &kept.Plan, nil
}

// Cancel tells the campaign's start to stop all trials.
func (f Folder) Cancel() error {
	if err := os.WriteFile(f.cancelFile(), nil, 0o644); err != nil {
		return fmt.Errorf("cancelling the campaign: %w", err)
	}
	return nil
}

// Uncancel takes Cancel back.
func (f Folder) Uncancel() error {
	if err := os.Remove(f.cancelFile()); err != nil {
		return fmt.Errorf("taking the cancellation back: %w", err)
	}
	return nil
}

// SaveTrial writes a trial's JSON into the folder.
func (f Folder) SaveTrial(cell string, report []byte) error {
	return score.Replace(f.Trial(cell), report)
}
