package queue

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// verdictOf returns a verdict for a cell whose trial began at this time.
func verdictOf(cell plan.Cell, began time.Time) Verdict {
	r := record.Of(cell)
	r.State, r.Started = record.Done, began
	return Verdict{Record: r, Report: json.RawMessage(`{"version":1}`)}
}

// A cell has one verdict, the first one, however often its trial ran.
func TestPublishOnce(t *testing.T) {
	c := newCampaign(t, 1, time.Minute, "a")
	cells := cellsOf("a", 2)
	c.fill(t, cells)
	task := c.await(t, "a")
	if judged, err := task.Judged(t.Context()); judged || err != nil {
		t.Errorf("Judged of a cell that has not run: %v, %v", judged, err)
	}
	began := time.Now()
	for n := range 3 { // with n = 0 the same verdict twice, as if an answer was lost
		for _, at := range []time.Time{began, began.Add(time.Duration(n) * time.Second)} {
			if err := c.Publish(t.Context(), verdictOf(cells[0], at)); err != nil {
				t.Errorf("a second verdict for the same cell: %v", err)
			}
		}
	}
	if err := c.Publish(t.Context(), verdictOf(cells[1], began)); err != nil {
		t.Fatal(err)
	}
	if err := task.GiveBack(0); err != nil {
		t.Fatal(err)
	}
	if judged, err := c.await(t, "a").Judged(t.Context()); !judged || err != nil {
		t.Errorf("Judged of a cell that has a verdict: %v, %v", judged, err)
	}
	verdicts := make(chan Verdict, 16)
	if err := c.Collect(t.Context(), func(v Verdict) error { verdicts <- v; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, cell := range cells {
		select {
		case v := <-verdicts:
			if v.Record.Cell != cell.ID || !v.Record.Started.Equal(began) || string(v.Report) != `{"version":1}` {
				t.Errorf("%+v, want the first of %s", v.Record, cell.ID)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("no verdict of %s came within 20 s", cell.ID)
		}
	}
	c.collected(t)
	if len(verdicts) > 0 {
		t.Errorf("a second verdict came: %+v", (<-verdicts).Record)
	}
}

// collected waits until all verdicts are collected.
func (c *Campaign) collected(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		left, err := c.Uncollected(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			return
		}
		<-tick.C
	}
	t.Fatal("the verdicts are not collected after 20 s")
}

// A verdict that could not be written down is delivered again.
func TestCollectAgain(t *testing.T) {
	c := newCampaign(t, 1, time.Minute, "a")
	cell := cellsOf("a", 1)[0]
	if err := c.Publish(t.Context(), verdictOf(cell, time.Now())); err != nil {
		t.Fatal(err)
	}
	came := make(chan string, 4)
	full := true
	err := c.Collect(t.Context(), func(v Verdict) error {
		came <- v.Record.Cell
		if full {
			full = false
			return errors.New("the disk is full")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		select {
		case id := <-came:
			if id != cell.ID {
				t.Errorf("the verdict of %s came, want that of %s", id, cell.ID)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("the verdict did not come again within 20 s")
		}
	}
	c.collected(t)
}

func TestPublishTooLarge(t *testing.T) {
	c := newCampaign(t, 1, time.Minute, "a")
	noise := make([]byte, maxPayload)
	_, _ = rand.Read(noise)
	v := verdictOf(cellsOf("a", 1)[0], time.Now())
	v.Report, _ = json.Marshal(base64.StdEncoding.EncodeToString(noise))
	if err := c.Publish(t.Context(), v); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a report of %d bytes that does not compress: %v", len(v.Report), err)
	}
	v.Report, _ = json.Marshal(string(make([]byte, maxPayload)))
	if err := c.Publish(t.Context(), v); err != nil {
		t.Errorf("a report that compresses well: %v", err)
	}
}

// A forgotten cell runs again, without its earlier tries.
func TestForget(t *testing.T) {
	c := newCampaign(t, 1, time.Minute, "a")
	cells := cellsOf("a", 1)
	c.fill(t, cells)
	task := c.await(t, "a")
	if err := task.Note(t.Context(), Tries{Waits: 7}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Publish(t.Context(), verdictOf(cells[0], time.Now())), task.Ended(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := c.Forget(t.Context(), []string{cells[0].ID, "a_ping_fix_99"}); err != nil {
		t.Fatal(err)
	}
	c.fill(t, cells)
	if err := c.await(t, "a").GiveBack(0); err != nil {
		t.Fatal(err)
	}
	task = c.await(t, "a")
	if judged, err := task.Judged(t.Context()); judged || err != nil {
		t.Errorf("Judged of a forgotten cell: %v, %v", judged, err)
	}
	if tries, err := task.Tries(t.Context()); err != nil || tries.Waits != 0 {
		t.Errorf("a forgotten cell has the tries %+v, %v", tries, err)
	}
}

// A cell whose workers all died has a verdict without a start. When it runs again and
// they die again, the second verdict is stored.
func TestLostTwice(t *testing.T) {
	c := newCampaign(t, 1, time.Minute, "a")
	cell := cellsOf("a", 1)[0]
	for n := range 2 {
		if err := c.Publish(t.Context(), verdictOf(cell, time.Time{})); err != nil {
			t.Fatal(err)
		}
		if judged, err := tokens(t.Context(), c.verdicts, c.verdictSubject("*")); err != nil || !judged[cell.ID] {
			t.Errorf("verdict %d was dropped: %v", n+1, err)
		}
		if err := c.Forget(t.Context(), []string{cell.ID}); err != nil {
			t.Fatal(err)
		}
	}
}
