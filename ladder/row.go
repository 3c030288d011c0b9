package ladder

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// HTML is the html/template "rung", which shows a Row as a list item, and CSS is its style. A
// page that draws its ladder in the browser has the template once, for an empty Row, and
// copies it. The style needs the custom properties --soft, --bad and --bad-ground, and the
// colours of packets: --to-agent, --by-agent and --by-handler.
var (
	//go:embed rung.html
	HTML string
	//go:embed ladder.css
	CSS string
)

// Row is a rung as text. Every text is printable, but not escaped.
type Row struct {
	Class   string `json:"class"`             // CSS classes
	Time    string `json:"time"`              //
	Name    string `json:"name,omitempty"`    // #7
	Way     string `json:"way,omitempty"`     // its direction, for readers who cannot see the arrow
	Text    string `json:"text,omitempty"`    //
	Size    string `json:"size,omitempty"`    //
	Answers string `json:"answers,omitempty"` // what it answers, and other remarks
	Silence string `json:"silence,omitempty"` //
}

// Row returns the rung as text.
func (r Rung) Row() Row {
	row := Row{Class: "rung", Time: Time(r.At), Text: Line(r.Text, longestText), Silence: r.Silence}
	if r.Kind != KindPacket {
		row.Class += " " + r.Kind
	}
	switch r.Kind {
	case KindCall:
		row.Text = Line(r.Tool, longestText) + ", " + Time(r.Took)
		if r.Failed {
			row.Text += ", an error"
		}
		if r.Thought > 0 {
			row.Text = "thought for " + Time(r.Thought) + ", then " + row.Text
		}
		return row
	case KindNote:
		return row
	case KindRefused:
		row.Name, row.Way = "refused", "not sent to the peer:"
	case KindPacket:
		row.Name, row.Way = "#"+strconv.Itoa(r.Number), "from agent to peer,"
		way := " to-peer"
		if r.ToAgent {
			row.Way, way = "from peer to agent,", " to-agent"
		}
		row.Class += way
		row.Answers = r.Answers()
	}
	if row.Size = Count(r.Bytes) + " bytes"; r.Bytes == 1 {
		row.Size = "1 byte"
	}
	for _, mark := range []struct {
		set         bool
		class, text string
	}{
		{r.Faulty, " faulty", ""},
		{r.Handler, " handler", "by the handler"},
		{r.Injected, "", "injected"},
		{r.Lost != "", " lost", Line(r.Lost, longestText)},
	} {
		if !mark.set {
			continue
		}
		row.Class += mark.class
		if row.Answers != "" && mark.text != "" {
			row.Answers += ", "
		}
		row.Answers += mark.text
	}
	return row
}

// Count formats a number with thousands separators: 1,234.
func Count(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

// longestText is the length at which a row's text is cut, in characters.
const longestText = 300

// median returns the nearest-rank median of values, or 0 if there are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// String returns the row as one line.
func (r Row) String() string {
	return strings.Join(strings.Fields(fmt.Sprint(r.Time, " ", r.Name, " ", r.Way, " ", r.Text, " ", r.Size, " ", r.Answers)), " ")
}
