package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// module is the import path of this project.
const module = "github.com/tun-mcp/tun-mcp"

// serverJSON is the entry for the MCP registry.
const serverJSON = "server.json"

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// server.json conforms to the registry's schema of 2025-12-11, copied unchanged from
// github.com/modelcontextprotocol/registry v1.8.8, internal/validators/schemas (MIT and
// Apache-2.0 licences).
func TestServerJSON(t *testing.T) {
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(readFile(t, "e2e/testdata/server.schema.json")))
	if err != nil {
		t.Fatal(err)
	}
	url := schema.(map[string]any)["$id"].(string)
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(url, schema); err != nil {
		t.Fatal(err)
	}
	rules, err := compiler.Compile(url)
	if err != nil {
		t.Fatal(err)
	}
	check := func(text string) error {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return rules.Validate(document)
	}
	text := readFile(t, serverJSON)
	if err := check(text); err != nil {
		t.Error(err)
	}
	if !strings.Contains(text, `"$schema": "`+url+`"`) {
		t.Errorf("%s does not name the schema %s", serverJSON, url)
	}
	// The schema can refuse.
	for _, bad := range []struct{ from, to string }{
		{"io.github.tun-mcp/tun-mcp", "tun-mcp"},
		{`"version": "`, `"versions": "`},
		{"Makes the agent", strings.Repeat("very ", 20)},
	} {
		if changed := strings.Replace(text, bad.from, bad.to, 1); changed == text || check(changed) == nil {
			t.Errorf("the schema accepts %q in place of %q", bad.to, bad.from)
		}
	}
}

// The release tool, the registry, the module and the program itself all describe the
// program alike.
func TestDistributionAgrees(t *testing.T) {
	var server struct {
		Name, Version string
		Repository    struct{ URL string }
		Packages      []struct{ RegistryType, Identifier, Version string }
	}
	if err := json.Unmarshal([]byte(readFile(t, serverJSON)), &server); err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(module, "github.com/") // tun-mcp/tun-mcp
	owner, name, _ := strings.Cut(path, "/")
	if want := "io.github." + path; server.Name != want {
		t.Errorf("%s: name %q, want %q", serverJSON, server.Name, want)
	}
	if want := "https://" + module; server.Repository.URL != want {
		t.Errorf("%s: repository %q, want %q", serverJSON, server.Repository.URL, want)
	}
	if !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(server.Version) {
		t.Errorf("%s: version %q, want one like 0.1.0", serverJSON, server.Version)
	}
	// .goreleaser.yaml makes the registry's entry from the same values.
	entry := readFile(t, ".goreleaser.yaml")
	for _, p := range server.Packages {
		named := strings.Replace(p.Identifier, ":"+server.Version, ":{{ .Version }}", 1)
		if want := "    - registry_type: " + p.RegistryType + "\n      identifier: " + named + "\n"; !strings.Contains(entry, want) {
			t.Errorf("%s names the package %s, and .goreleaser.yaml lacks %q", serverJSON, p.Identifier, want)
		}
		if p.Version != "" && p.Version != server.Version {
			t.Errorf("%s: the package %s has version %s, the server %s", serverJSON, p.Identifier, p.Version, server.Version)
		}
	}
	if tag, err := exec.Command("git", "describe", "--exact-match", "--tags", "--match", "v*").Output(); err == nil {
		if got := strings.TrimSpace(string(tag)); got != "v"+server.Version {
			t.Errorf("this commit is %s, and %s says %s", got, serverJSON, server.Version)
		}
	}
	if mod := readFile(t, "go.mod"); !strings.HasPrefix(mod, "module "+module+"\n") {
		t.Errorf("go.mod begins with %.60q, want module %s", mod, module)
	}
	release := readFile(t, ".goreleaser.yaml")
	for _, want := range []string{
		"\nproject_name: " + name + "\n", "- binary: " + name + "\n", "    owner: " + owner + "\n    name: " + name + "\n",
		"\n      - CGO_ENABLED=0\n", "\n      - -trimpath\n", "-X " + module + "/cli.release={{ .Version }}\n",
		"goos: [linux, darwin, windows]\n", "goarch: [amd64, arm64]\n", "\nchecksum:\n",
	} {
		if !strings.Contains(release, want) {
			t.Errorf(".goreleaser.yaml lacks %q", want)
		}
	}
	out, err := exec.Command(program, "--version").Output()
	if err != nil || !regexp.MustCompile(`^`+name+` \S+ \(.*go1\.\d+.* \w+/\w+\)\n$`).Match(out) {
		t.Errorf("--version: %v\n%s", err, out)
	}
}

// `go install` in a clone builds a program that reports its commit. The release
// tool's flag sets a version, and `man` writes the pages.
func TestInstall(t *testing.T) {
	t.Parallel()
	revision, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		tuntest.Unmet(t, fmt.Errorf("this is no clone: %w", err))
	}
	bin := t.TempDir()
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), "GOBIN="+bin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	run("go", "install", "-buildvcs=true", "-tags", "man", "-ldflags", "-X "+module+"/cli.release=1.2.3", ".")
	installed := filepath.Join(bin, "tun-mcp")
	out, want := run(installed, "--version"), "commit "+string(revision[:12])+", 2"
	if !strings.HasPrefix(out, "tun-mcp 1.2.3 (") || !strings.Contains(out, want) {
		t.Errorf("--version of a release: %s, want %q in it", out, want)
	}
	folder := t.TempDir()
	run(installed, "man", folder)
	for name, wants := range map[string][]string{
		"man/tun-mcp.1":            {`.TH "TUN-MCP" "1" `, `"tun-mcp 1.2.3"`, `\fB--network\fP="auto"`, `tun-mcp-exec(1)`},
		"man/tun-mcp-exec.1":       {`.TH "TUN-MCP-EXEC" "1" `, "tun-mcp exec -- ping 10.77.0.2"},
		"completions/tun-mcp.bash": {"__complete"},
		"completions/_tun-mcp":     {"#compdef tun-mcp"},
		"completions/tun-mcp.fish": {"__complete"},
		"completions/tun-mcp.ps1":  {"__complete"},
	} {
		text := readFile(t, filepath.Join(folder, name))
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q:\n%s", name, want, text)
			}
		}
	}
}
