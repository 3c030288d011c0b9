package clients

import (
	"regexp"
	"strings"
)

// cutJSON removes the server name, with its comma and its white space, and nothing else: the
// comments around it stay. It returns nil if the server has no place of its own.
func cutJSON(text []byte, key, name string) []byte {
	p, ok := placeOf(text, key, name)
	if !ok {
		return nil
	}
	return p.servers.without(p.i)
}

// restOfLine matches white space to the end of the line.
var restOfLine = regexp.MustCompile(`^[ \t]*\r?\n`)

// without returns the text without member i. If the member has whole lines, they go.
func (o object) without(i int) []byte {
	m, begin, end := o.members[i], o.open+1, o.close
	if i > 0 {
		begin = o.members[i-1].end
	}
	last := i == len(o.members)-1
	if !last {
		end = o.members[i+1].start
	}
	before, after := o.text[begin:m.start], o.text[m.end:end]
	if comma := commaIn(after); comma >= 0 {
		after = after[:comma] + after[comma+1:]
	} else if comma := commaIn(before); comma >= 0 {
		before = before[:comma] + before[comma+1:]
	}
	head := o.text[:begin] + before
	indent, alone := lineStart(head, len(head))
	eol := restOfLine.FindString(after)
	switch {
	case alone && eol != "":
		head, after = strings.TrimSuffix(head, indent), after[len(eol):]
	case !alone && (last || eol != ""):
		head = strings.TrimRight(head, " \t")
	default:
		after = strings.TrimLeft(after, " \t")
	}
	return []byte(head + after + o.text[end:])
}
