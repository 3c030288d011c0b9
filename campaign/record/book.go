package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/tun-mcp/tun-mcp/campaign/plan"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Book is results.jsonl, open for appending. It has at most one record per cell. A
// Book is not safe for concurrent use.
type Book struct {
	file *os.File
	size int64           // of the complete lines, in bytes
	has  map[string]bool // by cell
	sum  Sum
}

// Sum counts a book's records.
type Sum struct {
	Done      int     `json:"done"`
	Failed    int     `json:"failed"`
	Cancelled int     `json:"cancelled"`
	Retried   int     `json:"retried"` // attempts that produced no trial
	Waits     int     `json:"waits"`   // for overloaded providers
	CostUSD   float64 `json:"cost_usd"`
	Tokens    int     `json:"tokens"` // in and out
}

// Ended returns how many cells have ended, in any state.
func (s Sum) Ended() int { return s.Done + s.Failed + s.Cancelled }

// OpenBook opens the folder's results for appending. It removes an incomplete last
// line, left by a crash or a full disk.
func (f Folder) OpenBook() (*Book, error) {
	file, err := os.OpenFile(f.Results(), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the results: %w", err)
	}
	b := &Book{file: file, has: make(map[string]bool)}
	b.size, err = scan(file, func(r Record) error { b.count(r); return nil })
	if err == nil {
		err = b.trim()
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("reading %s: %w", f.Results(), err)
	}
	return b, nil
}

// trim cuts the file after the last complete line.
func (b *Book) trim() error {
	if err := b.file.Truncate(b.size); err != nil {
		return err
	}
	_, err := b.file.Seek(b.size, io.SeekStart)
	return err
}

func (b *Book) count(r Record) {
	b.has[r.Cell] = true
	switch r.State {
	case Done:
		b.sum.Done++
	case Failed:
		b.sum.Failed++
	default:
		b.sum.Cancelled++
	}
	b.sum.Retried += len(r.Tries)
	b.sum.Waits += r.Waits
	b.sum.CostUSD += r.WaitsUSD
	for _, t := range r.Tries {
		b.sum.CostUSD += t.CostUSD
	}
	if r.Usage != nil {
		b.sum.CostUSD += r.Usage.CostUSD
		b.sum.Tokens += r.Usage.InputTokens + r.Usage.OutputTokens
	}
}

// Has reports whether the cell has a record.
func (b *Book) Has(cell string) bool { return b.has[cell] }

// Sum returns the counts.
func (b *Book) Sum() Sum { return b.sum }

// Add appends a record and syncs it to the disk. If the cell already has a record,
// Add does nothing.
func (b *Book) Add(r Record) error {
	if b.has[r.Cell] {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return b.write(append(line, '\n'), r)
}

// End appends a record with this state and reason for each cell that has none.
func (b *Book) End(cells []plan.Cell, state, reason string) error {
	var lines bytes.Buffer
	var added []Record
	for _, c := range cells {
		if b.has[c.ID] {
			continue
		}
		r := Of(c)
		r.State, r.Reason = state, reason
		if err := json.NewEncoder(&lines).Encode(r); err != nil {
			return err
		}
		added = append(added, r)
	}
	return b.write(lines.Bytes(), added...)
}

// write appends complete lines and syncs them to the disk.
func (b *Book) write(lines []byte, records ...Record) error {
	_, err := b.file.Write(lines)
	if err == nil {
		err = b.file.Sync()
	}
	if err != nil { // leave no incomplete line
		return fmt.Errorf("writing the results: %w", errors.Join(err, b.trim()))
	}
	b.size += int64(len(lines))
	for _, r := range records {
		b.count(r)
	}
	return nil
}

// Close closes the file.
func (b *Book) Close() error { return b.file.Close() }

// Records reads all of the folder's results. Without a results file it returns none
// and no error.
func (f Folder) Records() ([]Record, error) {
	file, err := os.Open(f.Results())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading the results: %w", err)
	}
	defer file.Close()
	var all []Record
	if _, err := scan(file, func(r Record) error { all = append(all, r); return nil }); err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Results(), err)
	}
	return all, nil
}

// DropFailed removes the records of the cells that could not run. The book must not
// be open.
func (f Folder) DropFailed() error {
	records, err := f.Records()
	if err != nil {
		return err
	}
	var kept bytes.Buffer
	for _, r := range records {
		if r.State == Failed {
			continue
		}
		if err := json.NewEncoder(&kept).Encode(r); err != nil {
			return err
		}
	}
	if err := score.Replace(f.Results(), kept.Bytes()); err != nil {
		return fmt.Errorf("writing the results: %w", err)
	}
	return nil
}

// scan calls each with the record of every complete line, and returns how many bytes
// those lines have.
func scan(from io.Reader, each func(Record) error) (int64, error) {
	var size int64
	for in, n := bufio.NewReaderSize(from, 1<<20), 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return size, nil
		} else if err != nil {
			return size, err
		}
		var r Record
		if err := json.Unmarshal(bytes.TrimSpace(line), &r); err != nil || r.Cell == "" {
			return size, fmt.Errorf("line %d is not a record of a cell: %w", n, errors.Join(err))
		}
		if err := each(r); err != nil {
			return size, err
		}
		size += int64(len(line))
	}
}
