package ladder

import (
	"fmt"
	"io"
	"strings"
)

// mermaidText escapes characters with a meaning in Mermaid: number signs begin its entities,
// and semicolons end its statements.
var mermaidText = strings.NewReplacer("#", "#35;", ";", "#59;", "<", "#lt;", ">", "#gt;", "%", "#37;", "{", "#123;", "}", "#125;")

// WriteMermaid writes the ladder as a Mermaid sequence diagram, which many sites show in
// Markdown. Answers have dashed lines.
func (d Drawing) WriteMermaid(w io.Writer) error {
	var b strings.Builder
	b.WriteString("sequenceDiagram\n")
	fmt.Fprintf(&b, "    participant peer as %s\n", mermaidText.Replace(strings.TrimSpace("peer "+d.Peer)))
	fmt.Fprintf(&b, "    participant agent as %s\n", mermaidText.Replace(strings.TrimSpace("agent "+d.Agent)))
	for _, r := range d.Rungs {
		if r.Silence != "" {
			fmt.Fprintf(&b, "    Note over peer,agent: %s later\n", r.Silence)
		}
		row := r.Row()
		text := d.label(r)
		if row.Answers != "" {
			text += ", " + row.Answers
		}
		from, way, to := "peer", "->>", "agent"
		if !r.ToAgent {
			from, to = to, from
		}
		if r.ReplyTo > 0 {
			way = "-->>"
		}
		if r.Lost != "" {
			way = "-x"
		}
		fmt.Fprintf(&b, "    %s%s%s: %s\n", from, way, to, mermaidText.Replace(text))
	}
	if rest := d.rest(); rest != "" {
		fmt.Fprintf(&b, "    Note over peer,agent: and %s\n", rest)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
