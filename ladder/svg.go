package ladder

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// Sizes of an SVG, in pixels.
const (
	svgWidth  = 900
	svgLeft   = 110 // x of the peer's line
	svgRight  = 850 // x of the agent's line
	svgRung   = 40
	svgTop    = 46
	svgGap    = 26 // height of a silence
	svgLetter = 7  // approximate width of a letter
)

// svgStyle follows the reader's colour scheme, light or dark.
const svgStyle = `text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--ink)}
.soft{fill:var(--soft);font-size:12px}.end{font-weight:600;font-size:14px}.life{stroke:var(--soft);stroke-width:2}
.way{stroke:var(--line);stroke-width:2;fill:none}.head{fill:var(--line)}.tie{stroke:var(--line);stroke-width:1.5;fill:none;opacity:.6}
.faulty{--line:var(--bad)}.faulty .text{fill:var(--bad)}.answer{fill:var(--line);font-size:12px}
svg{--ink:#1b1f24;--soft:#57606a;--bad:#b3261e;--agent:#0969a8;--handler:#7a3fb8;--ground:#fff;background:var(--ground)}
g{--line:var(--soft)}.to-peer{--line:var(--agent)}.handler{--line:var(--handler)}
@media (prefers-color-scheme:dark){svg{--ink:#e8eaed;--soft:#a3adb8;--bad:#ff9a92;--agent:#63b3f2;--handler:#c497f5;--ground:#111418}}`

// WriteSVG writes the ladder as a self-contained SVG picture.
func (d Drawing) WriteSVG(w io.Writer) error {
	var b strings.Builder
	at := make(map[int]int, len(d.Rungs)) // y of each packet, by number
	y := svgTop
	for _, r := range d.Rungs {
		if r.Silence != "" {
			fmt.Fprintf(&b, "<text class=\"soft\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s later</text>\n", (svgLeft+svgRight)/2, y+svgGap-6, escape(r.Silence))
			y += svgGap
		}
		y += svgRung
		at[r.Number] = y
		d.svgRung(&b, r, y, at)
	}
	height := y + 30
	if rest := d.rest(); rest != "" {
		fmt.Fprintf(&b, "<text class=\"soft\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">and %s</text>\n", (svgLeft+svgRight)/2, y+22, rest)
		height += 10
	}
	peer, agent := strings.TrimSpace("peer "+d.Peer), strings.TrimSpace("agent "+d.Agent)
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img">
<title>%[3]d packets between %[4]s and %[5]s</title>
<style>%[6]s</style>
<text class="end" x="%[7]d" y="26" text-anchor="middle">%[4]s</text><text class="end" x="%[8]d" y="26" text-anchor="end">%[5]s</text>
<line class="life" x1="%[7]d" x2="%[7]d" y1="36" y2="%[9]d"/><line class="life" x1="%[10]d" x2="%[10]d" y1="36" y2="%[9]d"/>
%[11]s</svg>
`, svgWidth, height, len(d.Rungs), escape(peer), escape(agent), svgStyle, svgLeft, svgRight+40, y+10, svgRight, b.String())
	return err
}

// svgRung draws one packet whose arrow is at y.
func (d Drawing) svgRung(b *strings.Builder, r Rung, y int, at map[int]int) {
	row := r.Row()
	fmt.Fprintf(b, "<g class=\"%s\"><text class=\"soft\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", strings.TrimPrefix(row.Class, "rung "), svgLeft-10, y+4, escape(row.Time))
	anchor, x, head := "start", svgLeft+12, fmt.Sprintf("%d,%d %d,%d %d,%d", svgRight, y, svgRight-9, y-5, svgRight-9, y+5)
	if !r.ToAgent {
		anchor, x, head = "end", svgRight-12, fmt.Sprintf("%d,%d %d,%d %d,%d", svgLeft, y, svgLeft+9, y-5, svgLeft+9, y+5)
	}
	room := (svgRight-svgLeft-24)/svgLetter - len([]rune(row.Answers))
	label := []rune(d.label(r))
	if len(label) > room {
		label = append(label[:max(room-1, 8)], '…')
	}
	fmt.Fprintf(b, "<text class=\"text\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s", x, y-7, anchor, escape(string(label)))
	if row.Answers != "" {
		fmt.Fprintf(b, " <tspan class=\"answer\">%s</tspan>", escape(row.Answers))
	}
	fmt.Fprintf(b, "</text><line class=\"way\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%[3]d\"/><polygon class=\"head\" points=\"%s\"/>", svgLeft+2, svgRight-2, y, head)
	if asked, ok := at[r.ReplyTo]; ok && !r.ToAgent {
		reach := 10 + 6*(r.Number%5)
		fmt.Fprintf(b, "<path class=\"tie\" d=\"M%d %dh%dV%dh-%[3]d\"/>", svgRight+3, y, reach, asked)
	}
	b.WriteString("</g>\n")
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // cannot fail
	return b.String()
}
