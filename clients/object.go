package clients

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tailscale/hujson"
)

// An object is a JSON object in a text.
type object struct {
	text        string
	open, close int // offsets of its braces
	members     []member
}

// A member is a member of an object, with its offsets in the text.
type member struct {
	name       string
	start      int            // of the name
	value, end int            // of the value
	parsed     *hujson.Object // the value, if it is an object
}

// rootOf returns the outermost object of a text that parseJSON accepts.
func rootOf(text []byte) (object, bool) {
	root, err := hujson.Parse(bytes.Clone(text))
	if err != nil {
		return object{}, false
	}
	o, ok := root.Value.(*hujson.Object)
	if !ok {
		return object{}, false
	}
	return objectOf(string(text), o, root.StartOffset, root.EndOffset), true
}

func objectOf(text string, o *hujson.Object, start, end int) object {
	found := object{text: text, open: start, close: end - 1}
	for i := range o.Members {
		m := &o.Members[i]
		name, _ := m.Name.Value.(hujson.Literal)
		inner, _ := m.Value.Value.(*hujson.Object)
		found.members = append(found.members, member{name.String(), m.Name.StartOffset, m.Value.StartOffset, m.Value.EndOffset, inner})
	}
	return found
}

// index returns the index of the member with that name, or -1.
func (o object) index(name string) int {
	return slices.IndexFunc(o.members, func(m member) bool { return m.name == name })
}

// twice reports whether two members have the same name.
func (o object) twice() bool {
	seen := map[string]bool{}
	for _, m := range o.members {
		if seen[m.name] {
			return true
		}
		seen[m.name] = true
	}
	return false
}

// inner returns the object that is the value of member i.
func (o object) inner(i int) (object, bool) {
	m := o.members[i]
	if m.parsed == nil {
		return object{}, false
	}
	return objectOf(o.text, m.parsed, m.value, m.end), true
}

// A style is the layout of a text.
type style struct {
	eol, unit string // line end, and one step of indentation
}

func (o object) style() style {
	s := style{eol: "\n", unit: "  "}
	if strings.Contains(o.text, "\r\n") {
		s.eol = "\r\n"
	}
	if indent, ok := o.indent(); ok && indent != "" {
		s.unit = indent
	}
	return s
}

// indent returns the white space before the first member, and whether that member begins a
// line.
func (o object) indent() (string, bool) {
	if len(o.members) == 0 {
		return "", false
	}
	return lineStart(o.text, o.members[0].start)
}

// lineStart returns the white space before an offset and true, or "" and false if something
// else precedes the offset on its line.
func lineStart(text string, at int) (string, bool) {
	begin := strings.LastIndexByte(text[:at], '\n') + 1
	white := text[begin:at]
	if begin == 0 || strings.Trim(white, " \t") != "" {
		return "", false
	}
	return white, true
}

// insert returns the text with a member added at the end of o. Name includes the colon. Value
// returns the value; with lines, it may use several lines with that indentation.
func (o object) insert(name string, value func(indent string, lines bool) string, s style) []byte {
	before, after := o.text[:o.open+1], o.text[o.close:]
	if len(o.members) == 0 {
		inner := o.text[o.open+1 : o.close]
		if !strings.Contains(inner, "\n") {
			return []byte(before + " " + name + value("", false) + " " + inner + after)
		}
		core, tail := cutSpace(inner)
		closing, _ := lineStart(o.text, o.close)
		indent := closing + s.unit
		return []byte(before + core + s.eol + indent + name + value(indent, true) + tail + after)
	}
	last := o.members[len(o.members)-1]
	core, tail := cutSpace(o.text[last.end:o.close])
	comma, trailing := ",", ""
	if commaIn(core) >= 0 {
		comma, trailing = "", ","
	}
	out := o.text[:last.end] + comma + core
	if indent, lines := o.indent(); lines {
		return []byte(out + s.eol + indent + name + value(indent, true) + trailing + tail + after)
	}
	if strings.HasPrefix(strings.TrimLeft(tail, " \t\r"), "\n") { // core may end in a comment
		out += s.eol
	}
	return []byte(out + " " + name + value("", false) + trailing + tail + after)
}

// cutSpace splits text before the white space at its end.
func cutSpace(text string) (core, tail string) {
	core = strings.TrimRight(text, " \t\r\n")
	return core, text[len(core):]
}

// commaIn returns the offset of the comma outside the comments in a text of white space and
// comments, or -1.
func commaIn(between string) int {
	rest := between
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, "//"):
			_, rest, _ = strings.Cut(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			_, rest, _ = strings.Cut(rest[2:], "*/")
		case rest[0] == ',':
			return len(between) - len(rest)
		default:
			rest = rest[1:]
		}
	}
	return -1
}

// cut returns the possible texts before member i was inserted.
func (o object) cut(i int) [][]byte {
	m := o.members[i]
	var all [][]byte
	add := func(parts ...string) { all = append(all, []byte(strings.Join(parts, ""))) }
	after := o.text[m.end:]
	if len(o.members) == 1 {
		inner := o.text[o.open+1 : m.start]
		core, _ := cutSpace(inner)
		add(o.text[:o.open+1], strings.TrimPrefix(after, " ")) // inserted on one line
		add(o.text[:o.open+1], core, strings.TrimPrefix(after, ","))
		return all
	}
	if last := len(o.members) - 1; i == last {
		end := o.members[last-1].end
		core, _ := cutSpace(o.text[end:m.start])
		add(o.text[:end], strings.TrimPrefix(core, ","), after)
		add(o.text[:end], core, strings.TrimPrefix(after, ",")) // the member before keeps its comma
	}
	return all
}
