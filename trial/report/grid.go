package report

import (
	"strings"
	"unicode/utf8"
)

// grid is a text table of named rows. Its columns come in groups. As many groups as the
// width allows are printed side by side, and the others below them, with the names of the
// rows repeated.
type grid struct {
	names  []string
	groups []columnGroup
}

// columnGroup is a group of columns under a title. A group is never split.
type columnGroup struct {
	title   string
	columns []column
}

// column has a cell for each row. Cells are aligned right, or left if left is set. A nil
// style means none.
type column struct {
	head  string
	cells []string
	left  bool
	style func(row int) style
}

func textWidth(s string) int { return utf8.RuneCountInString(s) }

func (c column) width() int {
	width := textWidth(c.head)
	for _, cell := range c.cells {
		width = max(width, textWidth(cell))
	}
	return width
}

// gap is the space before each column.
const gap = 2

func (g columnGroup) width() int { return max(g.columnsWidth(), gap+textWidth(g.title)) }

func (g columnGroup) columnsWidth() (width int) {
	for _, c := range g.columns {
		width += gap + c.width()
	}
	return width
}

// lead returns the space before the columns, which is not 0 if the title is wider.
func (g columnGroup) lead() int { return g.width() - g.columnsWidth() }

// text returns the grid as text, at most width columns wide if each group fits.
func (g grid) text(width int, p painter) string {
	names := column{cells: g.names}.width()
	var out strings.Builder
	for rest := g.groups; len(rest) > 0; {
		taken, used := 0, names
		for taken < len(rest) && (taken == 0 || used+rest[taken].width() <= width) {
			used += rest[taken].width()
			taken++
		}
		if out.Len() > 0 {
			out.WriteByte('\n')
		}
		g.block(&out, rest[:taken], names, p)
		rest = rest[taken:]
	}
	return out.String()
}

// block writes groups side by side.
func (g grid) block(out *strings.Builder, groups []columnGroup, names int, p painter) {
	var titles, heads strings.Builder
	pad(&titles, names)
	pad(&heads, names)
	for _, group := range groups {
		pad(&titles, gap)
		titles.WriteString(group.title)
		pad(&titles, group.width()-gap-textWidth(group.title))
		pad(&heads, group.lead())
		for _, c := range group.columns {
			heads.WriteString(c.set(c.head))
		}
	}
	for _, line := range []string{titles.String(), heads.String()} {
		if line = strings.TrimRight(line, " "); line != "" {
			out.WriteString(p.paint(faint, line) + "\n")
		}
	}
	for row, name := range g.names {
		var line strings.Builder
		line.WriteString(name)
		pad(&line, names-textWidth(name))
		for _, group := range groups {
			pad(&line, group.lead())
			for _, c := range group.columns {
				cell := c.set(c.cells[row])
				if c.style != nil {
					cell = p.paint(c.style(row), cell)
				}
				line.WriteString(cell)
			}
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// set returns a cell padded to the width of its column.
func (c column) set(cell string) string {
	var out strings.Builder
	pad(&out, gap)
	space := c.width() - textWidth(cell)
	if !c.left {
		pad(&out, space)
	}
	out.WriteString(cell)
	if c.left {
		pad(&out, space)
	}
	return out.String()
}

func pad(out *strings.Builder, n int) { out.WriteString(strings.Repeat(" ", max(n, 0))) }
