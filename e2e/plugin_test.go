package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/docs"
)

// pluginFolder is the folder of the plugin for Claude Code, as in the marketplace file.
const pluginFolder = "plugin"

// readJSON decodes a file of the project into target. A key that target does not have
// is an error.
func readJSON(t *testing.T, path string, target any) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// pluginEntry has the fields that the plugin's manifest and the marketplace share.
type pluginEntry struct {
	Name, Version, Description string
	Keywords                   []string
}

// The plugin's manifests agree with each other and with the folder.
func TestPluginManifests(t *testing.T) {
	type party struct{ Name, URL string }
	var market struct {
		Name     string
		Owner    party
		Metadata struct{ Description string }
		Plugins  []struct {
			pluginEntry
			Source, Category string
		}
	}
	readJSON(t, ".claude-plugin/marketplace.json", &market)
	var manifest struct {
		pluginEntry
		Author                        party
		Homepage, Repository, License string
	}
	readJSON(t, filepath.Join(pluginFolder, ".claude-plugin/plugin.json"), &manifest)
	if len(market.Plugins) != 1 || market.Plugins[0].Source != "./"+pluginFolder {
		t.Fatalf("the marketplace offers %+v, want one plugin, from ./%s", market.Plugins, pluginFolder)
	}
	offered := market.Plugins[0].pluginEntry
	if offered.Name != manifest.Name || offered.Version != manifest.Version || offered.Description != manifest.Description || !slices.Equal(offered.Keywords, manifest.Keywords) {
		t.Errorf("the marketplace says %+v\nthe plugin    %+v", offered, manifest.pluginEntry)
	}
	if !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(manifest.Version) {
		t.Errorf("version %q, want three numbers: Claude Code updates a plugin when they change", manifest.Version)
	}
	if want := "https://" + module; manifest.Repository != want {
		t.Errorf("repository %q, want %q", manifest.Repository, want)
	}
	var servers struct {
		MCPServers map[string]struct {
			Command    string
			Args       []string
			AlwaysLoad bool
		} `json:"mcpServers"`
	}
	readJSON(t, filepath.Join(pluginFolder, ".mcp.json"), &servers)
	if tun := servers.MCPServers["tun"]; !strings.HasSuffix(tun.Command, ":-tun-mcp}") || !slices.Equal(tun.Args, []string{"serve"}) || !tun.AlwaysLoad {
		t.Errorf("the plugin starts %+v, want what go install puts on PATH", servers)
	}
}

// frontMatter returns the fields of a skill or command, one on each line, and its text.
func frontMatter(t *testing.T, path string) (fields map[string]string, body string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(pluginFolder, path))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitN(string(data), "---\n", 3)
	if len(parts) != 3 || parts[0] != "" {
		t.Fatalf("%s has no front matter", path)
	}
	fields = map[string]string{}
	for line := range strings.Lines(parts[1]) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		fields[key] = value
	}
	return fields, parts[2]
}

// The skill and the commands refer to existing guides, name the server's tools, and do
// not contradict the guides.
func TestPluginSkillAndCommands(t *testing.T) {
	guide := regexp.MustCompile(`tun://docs/([a-z0-9-]+\.md)`)
	for _, path := range []string{"skills/play-ip-stack/SKILL.md", "commands/answer-pings.md", "commands/play-host.md"} {
		fields, body := frontMatter(t, path)
		if fields["description"] == "" || len(fields["description"]) > 1024 {
			t.Errorf("%s: the description has %d characters, want 1 to 1,024", path, len(fields["description"]))
		}
		named := guide.FindAllStringSubmatch(body, -1)
		if len(named) == 0 {
			t.Errorf("%s names no existing guide", path)
		}
		for _, found := range named {
			if _, err := docs.Files.ReadFile(found[1]); err != nil {
				t.Errorf("%s points to %s: %v", path, found[0], err)
			}
		}
		if strings.HasPrefix(path, "commands/") {
			const tool = "mcp__plugin_tun-mcp_tun__"
			if want := tool + "read_packet, " + tool + "write_packet, " + tool + "hexdump"; fields["allowed-tools"] != want {
				t.Errorf("%s allows %q, want %q", path, fields["allowed-tools"], want)
			}
			continue
		}
		if fields["name"] != filepath.Base(filepath.Dir(path)) {
			t.Errorf("%s is named %q", path, fields["name"])
		}
		for rule, name := range map[string]string{"old + 0x0800": "answer-pings.md", "old − 0x0100": "play-ip6.md", "never a request to you": "answer-pings.md"} {
			text, err := docs.Files.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(body, rule) || !strings.Contains(string(text), rule) {
				t.Errorf("%q should be in the skill and in %s", rule, name)
			}
		}
	}
}
