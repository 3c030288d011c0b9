package clients

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var argv = []string{"/usr/local/bin/tun-mcp", "--network", "memory"}

// sample returns a realistic configuration of the client.
func sample(t testing.TB, c Client) []byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", c.ID+".[jt]*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s has %d samples, %v", c.ID, len(files), err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// oddJSON and oddTOML are configurations with other layouts, which Remove has to tell apart.
var oddJSON = []string{
	"", " \n", "{}", "{ }", "{\n}", "{\n}\n", "{\"a\":1}", "{ \"a\": 1 }\n", "{\n  \"a\": 1,\n}\n", "{\"a\": 1 // one\n}", "{ /* none */ }", "{\n  // none\n}\n",
	"{\"KEY\":{}}", "{\"KEY\": {}}", "{\"KEY\": { }}", "{\n  \"KEY\": {}\n}\n", "{\n  \"KEY\": {\n  }\n}\n", "{\n  \"KEY\": {\n\n  },\n  \"z\": 1\n}\n",
	"{\"KEY\":{\"a\":{}}}", "{\"KEY\":{\"a\":{},}}", "{\n\t\"KEY\": {\n\t\t\"a\": {\n\t\t\t\"command\": \"a\"\n\t\t} // a\n\t\t// end\n\t}\n}", "{\r\n  \"KEY\": {\r\n    \"a\": {}\r\n  }\r\n}\r\n",
	"// head\n{\n  \"x\": [1, 2],\n  \"KEY\": { \"a\": {\"command\": \"a\"} }\n}\n// tail\n", "{\n  \"KEY\": {\n    \"a\": {} /* , */\n  }\n}\n", "{\n  \"KEY\": {\n    \"a\": {}\n  }, \"y\": 2}",
}

var oddTOML = []string{
	"", "\n", "# only a comment", "# only a comment\n", "a = 1", "a = 1\n", "a = 1\n\n", "a = 1\n\n\n\n", "a = 1\r\nb = 2\r\n", "a = 1\r\nb = 2", "[KEY]\n", "[KEY.a]\ncommand = \"a\"\n\n# end\n",
	"[KEY.a]\nargs = [\n  \"[KEY.tun]\",\n]\n", "text = '''\n[other]\n'''\n",
}

func (c Client) odd() (all [][]byte) {
	texts := oddJSON
	if c.toml {
		texts = oddTOML
	}
	all = append(all, nil)
	for _, text := range texts {
		all = append(all, []byte(strings.ReplaceAll(text, "KEY", c.key)))
	}
	return all
}

// Remove undoes Add byte for byte, and Add changes nothing else.
func TestThereAndBack(t *testing.T) {
	for _, c := range All {
		t.Run(c.ID, func(t *testing.T) {
			for _, before := range append(c.odd(), sample(t, c)) {
				for _, name := range []string{"tun", "my tun.2"} {
					with, err := c.Add(before, name, argv)
					if err != nil {
						t.Errorf("%q: %v", before, err)
						continue
					}
					if before != nil && !kept(before, with) {
						t.Errorf("%q became %q", before, with)
					}
					if again, err := c.Add(with, name, argv); !errors.Is(err, ErrThere) {
						t.Errorf("adding to %q again: %q, %v", with, again, err)
					}
					if other, err := c.Add(with, name, argv[:1]); !errors.Is(err, ErrDiffers) {
						t.Errorf("adding another to %q: %q, %v", with, other, err)
					}
					after, err := c.Remove(with, name)
					if err != nil || !bytes.Equal(after, before) || (after == nil) != (before == nil) {
						t.Errorf("%q became %q and then %q, %v", before, with, after, err)
					}
				}
			}
		})
	}
}

// kept reports whether all bytes of before are in with, in the same order.
func kept(before, with []byte) bool {
	for _, b := range before {
		i := bytes.IndexByte(with, b)
		if i < 0 {
			return false
		}
		with = with[i+1:]
	}
	return true
}

// Remove keeps servers that were added later.
func TestRemoveAmongOthers(t *testing.T) {
	for _, c := range All {
		before := sample(t, c)
		with, err := c.Add(before, "tun", argv)
		if err != nil {
			t.Fatal(err)
		}
		both, err := c.Add(with, "tun2", argv[:1])
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		alone, err := c.Remove(both, "tun")
		if err != nil {
			t.Errorf("%s: %v in\n%s", c.ID, err, both)
			continue
		}
		if there, err := c.server(alone, "tun2"); err != nil || there == nil {
			t.Errorf("%s: %v, %v in\n%s", c.ID, there, err, alone)
		}
		if back, err := c.Remove(alone, "tun2"); err != nil || !sameJSON(c, back, before) {
			t.Errorf("%s: %v\n%s", c.ID, err, back)
		}
	}
}

func sameJSON(c Client, a, b []byte) bool { return c.onlyThat(a, b, "none") == nil }

// Texts that cannot be parsed or have another form are not edited.
func TestRefused(t *testing.T) {
	for _, c := range All {
		bad := []string{"{", "[]", "1", "{\"KEY\": 1}", "{\"KEY\": {\"tun\": 1}}", "{\"KEY\": []}", "{\"a\": }", "\xef\xbb\xbf{}", "{\"a\": \xff}", "{\"KEY\": {\"a\": {}}, \"KEY\": {}}"}
		if c.toml {
			bad = []string{"a = ", "KEY = 1\n", "KEY = { a = { command = \"a\" } }\n", "[KEY]\ntun = 1\n", "a = 1\na = 2\n", "[KEY.a\n"}
		}
		for _, text := range bad {
			text = strings.ReplaceAll(text, "KEY", c.key)
			if out, err := c.Add([]byte(text), "tun", argv); err == nil {
				t.Errorf("%s: %q became %q", c.ID, text, out)
			}
			if out, err := c.Remove([]byte(text), "tun"); err == nil {
				t.Errorf("%s: Remove changed %q to %q", c.ID, text, out)
			}
		}
		if _, err := c.Remove(sample(t, c), "tun"); !errors.Is(err, ErrAbsent) {
			t.Errorf("%s: removing an absent server: %v", c.ID, err)
		}
		// A server with that name that does not start tun-mcp belongs to the user.
		theirs, err := c.Add(sample(t, c), "tun", []string{"another-program"})
		if err != nil {
			t.Fatal(err)
		}
		if out, err := c.Remove(theirs, "tun"); !errors.Is(err, ErrOther) {
			t.Errorf("%s: removing the user's server: %q, %v", c.ID, out, err)
		}
	}
}

func TestFiles(t *testing.T) {
	for _, test := range []struct {
		id, os string
		env    map[string]string
		want   string
	}{
		{"claude-code", "linux", nil, "/home/me/.claude.json"},
		{"claude-code", "linux", map[string]string{"CLAUDE_CONFIG_DIR": "/c"}, "/c/.claude.json"},
		{"claude-desktop", "darwin", nil, "/home/me/Library/Application Support/Claude/claude_desktop_config.json"},
		{"claude-desktop", "windows", map[string]string{"APPDATA": "C:/Users/me/AppData/Roaming"}, "C:/Users/me/AppData/Roaming/Claude/claude_desktop_config.json"},
		{"claude-desktop", "linux", nil, "/home/me/.config/Claude/claude_desktop_config.json"},
		{"codex", "linux", map[string]string{"CODEX_HOME": "/x"}, "/x/config.toml"},
		{"opencode", "darwin", nil, "/home/me/.config/opencode/opencode.json"},
		{"vscode", "linux", map[string]string{"XDG_CONFIG_HOME": "/cfg"}, "/cfg/Code/User/mcp.json"},
		{"vscode", "windows", nil, "/home/me/AppData/Roaming/Code/User/mcp.json"},
		{"zed", "darwin", nil, "/home/me/.config/zed/settings.json"},
		{"zed", "linux", map[string]string{"XDG_CONFIG_HOME": "relative"}, "/home/me/.config/zed/settings.json"},
	} {
		c, ok := Find(test.id)
		if !ok {
			t.Fatalf("no %s", test.id)
		}
		if got := c.Files(Machine{OS: test.os, Home: "/home/me", Getenv: func(name string) string { return test.env[name] }})[0]; got != test.want {
			t.Errorf("%s on %s: %s, want %s", test.id, test.os, got, test.want)
		}
	}
}

// Remove undoes Add for any configuration.
func FuzzThereAndBack(f *testing.F) {
	for i, c := range All {
		for _, text := range append(c.odd(), sample(f, c)) {
			f.Add(text, i)
		}
	}
	f.Fuzz(func(t *testing.T, before []byte, i int) {
		c := All[(i%len(All)+len(All))%len(All)]
		with, err := c.Add(before, "tun", argv)
		if err != nil {
			return
		}
		if after, err := c.Remove(with, "tun"); err != nil || !bytes.Equal(after, before) {
			t.Errorf("%q became %q and then %q, %v", before, with, after, err)
		}
	})
}
