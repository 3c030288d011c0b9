package subject

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Usage returns the usage that claude -p --output-format json printed at its end, and
// the names of its models. It returns nil if there is none.
func (s *Subject) Usage() (*score.Usage, string) { return usage([]byte(s.stdout.String())) }

func usage(output []byte) (*score.Usage, string) {
	var told struct {
		Type     string  `json:"type"`
		NumTurns int     `json:"num_turns"`
		Cost     float64 `json:"total_cost_usd"`
		Usage    struct {
			Input  int `json:"input_tokens"`
			Create int `json:"cache_creation_input_tokens"`
			Read   int `json:"cache_read_input_tokens"`
			Output int `json:"output_tokens"`
		} `json:"usage"`
		Models map[string]json.RawMessage `json:"modelUsage"`
	}
	if json.Unmarshal(output, &told) != nil || told.Type != "result" {
		return nil, ""
	}
	model := strings.Join(slices.Sorted(maps.Keys(told.Models)), ", ")
	return &score.Usage{Turns: told.NumTurns, InputTokens: told.Usage.Input + told.Usage.Create + told.Usage.Read,
		OutputTokens: told.Usage.Output, CostUSD: told.Cost}, model
}
