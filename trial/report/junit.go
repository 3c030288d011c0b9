package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/tun-mcp/tun-mcp/trial/score"
)

// Elements of JUnit XML that CI systems read.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
		Out      string      `xml:"system-out,omitempty"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitMessage `xml:"failure"`
		Skipped *junitMessage `xml:"skipped"`
	}
	junitMessage struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
	}
)

// junitName begins the name of all suites together. It tells a trial's file from those of
// other programs.
const junitName = "tun-mcp trial: "

// WriteJUnit writes the report as JUnit XML: a suite for each scenario, with the case
// "scenario" for its verdict and a case for each request. If a scenario passed, its
// requests that were not right do not count, so they become skipped cases.
func WriteJUnit(w io.Writer, r *score.Report) error {
	all := junitSuites{Name: junitName + r.Agent.Name, Time: fmt.Sprintf("%.3f", r.Seconds)}
	for _, s := range r.Scenarios {
		suite := junitSuiteOf(s)
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Skipped += suite.Skipped
		all.Suites = append(all.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	out := xml.NewEncoder(w)
	out.Indent("", "  ")
	if err := out.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitSuiteOf(s score.Result) junitSuite {
	suite := junitSuite{Name: s.Scenario, Time: fmt.Sprintf("%.3f", s.Seconds), Out: s.Note}
	class := "trial." + s.Scenario
	verdict := junitCase{Class: class, Name: "scenario", Time: suite.Time}
	switch {
	case s.Skipped:
		verdict.Skipped = &junitMessage{Message: s.Reason}
	case !s.Passed:
		verdict.Failure = &junitMessage{Type: "not passed", Message: s.Reason}
	}
	suite.add(verdict)
	for _, x := range s.Exchanges {
		c := junitCase{Class: class, Name: fmt.Sprintf("%d %s", x.N, x.Name), Time: fmt.Sprintf("%.3f", x.Response/1000)}
		if x.Repeat > 0 {
			c.Name = fmt.Sprintf("%d: %s", x.Repeat, c.Name)
		}
		switch message := &(junitMessage{Type: x.Outcome, Message: x.Detail}); {
		case x.Outcome == score.Right:
		case s.Passed, x.Probe:
			message.Type, message.Message = "", x.Outcome+", which does not count: "+x.Detail
			c.Skipped = message
		default:
			c.Failure = message
		}
		suite.add(c)
	}
	return suite
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Skipped != nil {
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// IsJUnit reports whether a file is JUnit XML of a trial.
func IsJUnit(from io.Reader) bool {
	var suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
	}
	return xml.NewDecoder(from).Decode(&suites) == nil && strings.HasPrefix(suites.Name, junitName)
}
