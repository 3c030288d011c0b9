package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/campaign/record"
	"github.com/tun-mcp/tun-mcp/trial/score"
)

func exportCommand() *cobra.Command {
	var format, output string
	var requests bool
	cmd := &cobra.Command{
		Use:   "export PLAN|FOLDER",
		Short: "Write the results as CSV or JSON Lines, a row per cell or request",
		Example: `  campaign export plan.yaml -o cells.csv
  campaign export plan.yaml --requests --format jsonl | jq .outcome`,
		Args: one,
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := folderAt(args[0])
			if err != nil {
				return err
			}
			if format != "csv" && format != "jsonl" {
				return usageError{fmt.Errorf("--format %q: accepted are csv, jsonl", format)}
			}
			records, err := folder.Records()
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if output == "" {
				return export(out, folder, records, format == "csv", requests)
			}
			err = score.ReplaceWith(output, func(w io.Writer) error { return export(w, folder, records, format == "csv", requests) })
			if err != nil {
				return fmt.Errorf("export to %s: %w", output, err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "csv", "csv or jsonl")
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write (default: standard output)")
	cmd.Flags().BoolVar(&requests, "requests", false, "one row per request, from the JSON of the trials, not one per cell")
	return cmd
}

// request is one row of --requests.
type request struct {
	Cell       string `json:"cell"`
	Agent      string `json:"agent"`
	Scenario   string `json:"scenario"`
	Assist     string `json:"assist"`
	Repetition int    `json:"repetition"`
	score.Exchange
}

func export(out io.Writer, folder record.Folder, records []record.Record, asCSV, requests bool) error {
	w := rows{json: json.NewEncoder(out)}
	if asCSV {
		w = rows{csv: csv.NewWriter(out)}
	}
	for _, r := range records {
		if !requests {
			w.write(cellHead, cellRow(r), r)
			continue
		}
		if r.State != record.Done {
			continue
		}
		found, err := score.Load(folder.Trial(r.Cell))
		if err != nil {
			return err
		}
		for _, s := range found.Scenarios {
			for _, x := range s.Exchanges {
				row := request{r.Cell, r.Agent, r.Scenario, r.Assist, r.Repetition, x}
				w.write(requestHead, requestRow(row), row)
			}
		}
	}
	return w.end()
}

// rows writes rows as CSV or as JSON Lines: one of csv and json is nil.
type rows struct {
	csv  *csv.Writer
	json *json.Encoder
	err  error
	any  bool
}

func (w *rows) write(head, row []string, object any) {
	if w.err != nil {
		return
	}
	if w.json != nil {
		w.err = w.json.Encode(object)
		return
	}
	if !w.any {
		w.any, w.err = true, w.csv.Write(head)
	}
	if w.err == nil {
		w.err = w.csv.Write(row)
	}
}

func (w *rows) end() error {
	if w.csv != nil && w.err == nil {
		w.csv.Flush()
		w.err = w.csv.Error()
	}
	if w.err != nil {
		return fmt.Errorf("exporting: %w", w.err)
	}
	return nil
}

var cellHead = []string{"cell", "agent", "model", "scenario", "assist", "repetition", "seed", "state", "reason", "retries", "waits", "worker", "started", "seconds",
	"passed", "sent", "right", "wrong", "lost", "late", "calls", "reward", "response_median_ms", "turns", "input_tokens", "output_tokens", "cost_usd"}

func cellRow(r record.Record) []string {
	whole, float := strconv.Itoa, func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	row := []string{r.Cell, r.Agent, r.Model, r.Scenario, r.Assist, whole(r.Repetition), strconv.FormatUint(r.Seed, 10), r.State, r.Reason,
		whole(len(r.Tries)), whole(r.Waits), r.Worker, "", float(r.Seconds), strconv.FormatBool(r.Passed),
		whole(r.Sent), whole(r.Right), whole(r.Wrong), whole(r.Lost), whole(r.Late), whole(r.Calls), "", "", "", "", "", ""}
	if !r.Started.IsZero() {
		row[12] = r.Started.Format("2006-01-02T15:04:05.000Z")
	}
	if r.Reward != nil {
		row[21] = float(*r.Reward)
	}
	if d := score.Distribute(r.Responses); d.N > 0 {
		row[22] = float(d.Median)
	}
	if u := r.Usage; u != nil {
		row[23], row[24], row[25], row[26] = whole(u.Turns), whole(u.InputTokens), whole(u.OutputTokens), float(u.CostUSD)
	}
	return row
}

var requestHead = []string{"cell", "agent", "scenario", "assist", "repetition", "n", "name", "at_ms", "outcome", "faults", "detail", "round_trip_ms", "response_ms", "probe"}

func requestRow(r request) []string {
	float := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	return []string{r.Cell, r.Agent, r.Scenario, r.Assist, strconv.Itoa(r.Repetition), strconv.Itoa(r.N), r.Name, float(r.At), r.Outcome, strings.Join(r.Faults, " "), r.Detail,
		float(r.RoundTrip), float(r.Response), strconv.FormatBool(r.Probe)}
}
