package clients

import (
	"strings"
	"testing"
)

// cuts are configurations of VS Code's kind that the user has edited, before and after Remove.
// TUN is the server; each file has comments that stay.
var cuts = []struct{ name, before, after string }{
	{"the others are comments", "// keep in sync with the laptop\n{\n  \"servers\": {\n    // \"github\": {\"command\": \"github-mcp\"},\n    TUN\n  }\n}\n",
		"// keep in sync with the laptop\n{\n  \"servers\": {\n    // \"github\": {\"command\": \"github-mcp\"},\n  }\n}\n"},
	{"the others are comments after it", "{\n  \"servers\": {\n    TUN\n    /* \"github\": {} */\n  }\n}\n", "{\n  \"servers\": {\n    /* \"github\": {} */\n  }\n}\n"},
	{"beside other keys", "{\n  \"inputs\": [],\n  \"servers\": {\n    // \"github\": {}\n    TUN,\n  },\n}\n", "{\n  \"inputs\": [],\n  \"servers\": {\n    // \"github\": {}\n  },\n}\n"},
	{"first", "{\n  \"servers\": {\n    TUN,\n    // expires in May\n    \"github\": {}\n  }\n}\n", "{\n  \"servers\": {\n    // expires in May\n    \"github\": {}\n  }\n}\n"},
	{"first, with a remark", "{\n  \"servers\": {\n    TUN, // not at work\n    \"github\": {}\n  }\n}\n", "{\n  \"servers\": {\n    // not at work\n    \"github\": {}\n  }\n}\n"},
	{"between", "{\n  \"servers\": {\n    \"a\": {}, // one\n    // two\n    TUN,\n    // three\n    \"b\": {}\n  }\n}\n", "{\n  \"servers\": {\n    \"a\": {}, // one\n    // two\n    // three\n    \"b\": {}\n  }\n}\n"},
	{"last", "{\n  \"servers\": {\n    \"a\": {}, // one, two\n    TUN\n    // end\n  }\n}\n", "{\n  \"servers\": {\n    \"a\": {} // one, two\n    // end\n  }\n}\n"},
	{"last, with a comma", "{\n  \"servers\": {\n    \"a\": {},\n    /* one */ TUN /* two */, // three\n  }\n}\n", "{\n  \"servers\": {\n    \"a\": {},\n    /* one */ /* two */ // three\n  }\n}\n"},
	{"on one line", "{\"servers\": { /* one */ \"a\": {}, TUN, \"b\": {} }} // two\n", "{\"servers\": { /* one */ \"a\": {}, \"b\": {} }} // two\n"},
	{"at the end of one line", "{\"servers\": {\"a\": {} /* , */, TUN}}\n", "{\"servers\": {\"a\": {} /* , */}}\n"},
	{"after a brace with a comment", "{\"servers\": { // one\n  TUN}}\n", "{\"servers\": { // one\n  }}\n"},
	{"the only key", "{\"servers\": {TUN}, /* one */ \"inputs\": []}\n", "{\"servers\": {}, /* one */ \"inputs\": []}\n"},
}

// Remove keeps every comment around the server, whatever the user has edited.
func TestRemoveKeepsComments(t *testing.T) {
	c, _ := Find("vscode")
	for _, test := range cuts {
		for server, tun := range map[string]string{
			"on one line":   `"tun": {"type": "stdio", "command": "/usr/bin/tun-mcp"}`,
			"with more":     `"tun": {"command": "/usr/bin/tun-mcp", "env": {"A": "b"} /* mine */}`,
			"on many lines": "\"tun\": {\n      \"type\": \"stdio\",\n      \"command\": \"/usr/bin/tun-mcp\", // here\n    }",
		} {
			for _, eol := range []string{"\n", "\r\n"} {
				before := strings.ReplaceAll(strings.ReplaceAll(test.before, "TUN", tun), "\n", eol)
				want := strings.ReplaceAll(test.after, "\n", eol)
				if after, err := c.Remove([]byte(before), "tun"); err != nil || string(after) != want {
					t.Errorf("%s, a server %s: %q became %q, %v\nwant %q", test.name, server, before, after, err, want)
				}
			}
		}
	}
}
