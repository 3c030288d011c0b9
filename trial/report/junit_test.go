package report

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// A loss that does not count is not a failure. Text from an agent is quoted.
func TestJUnit(t *testing.T) {
	r := &score.Report{Scenarios: []score.Result{
		{Scenario: "load", Passed: true, Exchanges: []score.Exchange{{N: 1, Outcome: score.Right}, {N: 2, Outcome: score.Lost}}},
		{Scenario: "ping", Reason: "seq 1: wrong", Exchanges: []score.Exchange{{N: 1, Outcome: score.Wrong, Detail: "<&\"\x00"}}},
		{Scenario: "ping6", Skipped: true, Reason: "IPv6 is off"},
	}}
	var b bytes.Buffer
	if err := WriteJUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, &b)
	}
	if got.Tests != 6 || got.Failures != 2 || got.Skipped != 2 {
		t.Errorf("%d tests, %d failures, %d skipped\n%s", got.Tests, got.Failures, got.Skipped, &b)
	}
	if !IsJUnit(&b) {
		t.Error("IsJUnit does not recognize it")
	}
}

// IsJUnit does not take the file of another program for that of a trial.
func TestIsJUnitOfAnotherProgram(t *testing.T) {
	for _, text := range []string{
		`<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" tests="1"></testsuite></testsuites>`,
		`<testsuites></testsuites>`, `<testsuite name="tun-mcp trial: builtin"></testsuite>`,
	} {
		if IsJUnit(strings.NewReader(text)) {
			t.Errorf("IsJUnit accepts %s", text)
		}
	}
}
