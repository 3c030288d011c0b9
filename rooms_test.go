package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is this project's import path.
const module = "github.com/tun-mcp/tun-mcp"

// rooms lists, from the top of the house to the ground, what each room may
// import of the others. docs/design.md draws it.
var rooms = []struct {
	name string
	may  []string
}{
	{"e2e", nil},
	{"", []string{"cli"}},
	{"campaign", []string{"campaign/fleet", "campaign/worker", "campaign/queue", "campaign/report", "campaign/record", "campaign/plan", "trial/score", "ladder"}},
	{"campaign/fleet", []string{"campaign/worker", "campaign/queue", "campaign/record", "campaign/plan"}},
	{"campaign/worker", []string{"campaign/queue", "campaign/record", "campaign/plan", "trial/score", "child"}},
	{"campaign/queue", []string{"campaign/record", "campaign/plan", "trial/score"}},
	{"campaign/report", []string{"campaign/record", "campaign/plan", "trial/report", "trial/score", "ladder"}},
	{"campaign/record", []string{"campaign/plan", "trial/score"}},
	{"campaign/plan", nil},
	{"cli", []string{"mcpserver", "trial", "trial/scenario", "trial/subject", "trial/report", "trial/score", "agent", "ping", "tools", "watch", "ladder", "watch/page", "control", "session", "handler", "packet", "tun", "replay", "clients"}},
	{"mcpserver", []string{"tools", "session", "docs"}},
	{"trial", []string{"trial/judge", "session", "trial/scenario", "trial/subject", "trial/traffic", "trial/report", "trial/score", "control"}},
	{"trial/scenario", []string{"trial/traffic", "trial/judge", "trial/score", "session"}},
	{"trial/subject", []string{"trial/traffic", "trial/score", "child", "control", "session", "docs"}},
	{"trial/traffic", []string{"trial/judge", "trial/score", "control", "session", "packet"}},
	{"trial/trialtest", []string{"control", "session", "packet", "tun", "tun/tuntest"}},
	{"agent", []string{"trial/score", "child", "session", "packet", "tun/netstack"}},
	{"trial/judge", []string{"trial/score", "session", "packet"}},
	{"trial/report", []string{"trial/score", "ladder"}},
	{"trial/score", []string{"session", "packet"}},
	{"tools", []string{"session", "handler", "packet"}},
	{"ping", []string{"control"}},
	{"watch/page", []string{"watch", "ladder", "control", "session", "packet"}},
	{"watch", []string{"ladder", "session", "packet"}},
	{"ladder", []string{"session", "packet"}},
	{"control", []string{"session", "packet", "tun"}},
	{"replay", []string{"packet"}},
	{"session", []string{"handler", "packet", "tun"}},
	{"clients", nil},
	{"handler", []string{"packet"}},
	{"packet", nil},
	{"tun", []string{"tun/netstack"}},
	{"tun/tuntest", []string{"tun", "tun/netstack"}},
	{"tun/netstack", nil},
	{"child", nil},
	{"docs", nil},
}

// homes says in which room each outside module is at home.
var homes = map[string]string{
	"github.com/spf13/cobra":             "cli",
	"golang.org/x/term":                  "cli",
	"github.com/mark3labs/mcp-go/server": "mcpserver",
	"github.com/mark3labs/mcp-go/client": "agent",
	"github.com/mark3labs/mcp-go/mcp":    "mcpserver",
	"github.com/google/gopacket":         "packet",
	"github.com/songgao/water":           "tun",
	"github.com/vishvananda/netlink":     "tun",
	"github.com/nats-io":                 "campaign/queue",
	"go.yaml.in/yaml/v3":                 "campaign/plan",
	"golang.org/x/net/dns":               "agent",
	"golang.org/x/net/icmp":              "ping",
	"golang.org/x/net/ipv4":              "ping",
	"golang.org/x/net/ipv6":              "ping",
	"golang.org/x/sys":                   "tun",
	"gvisor.dev/gvisor":                  "tun/netstack",
	"go.starlark.net":                    "handler",
	"github.com/tailscale/hujson":        "clients",
	"github.com/BurntSushi/toml":         "clients",

	// Tests' alone.
	"github.com/santhosh-tekuri/jsonschema/v6": "e2e",
	"github.com/chromedp/chromedp":             "e2e",
	"github.com/chromedp/cdproto":              "e2e",
}

// lent says which room besides its home imports a package: the words of MCP are
// the same at both of their ends, and tuntest is a corner of tun.
var lent = map[string]string{
	"github.com/mark3labs/mcp-go/mcp": "agent",
	"golang.org/x/sys":                "tun/tuntest",
	"github.com/BurntSushi/toml":      "e2e",           // reads what examples/harbor writes
	"github.com/spf13/cobra":          "campaign",      // a program of its own, with a command line of its own
	"golang.org/x/term":               "campaign",      // the width of its terminal
	"golang.org/x/net/dns":            "trial/traffic", // the agent answers queries, a trial asks them
}

type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

// listPackages returns the packages of this module as built for goos.
func listPackages(t *testing.T, goos string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Env = append(cmd.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p goPackage
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// TestRooms holds the two rules of the house: rooms import only downwards, and
// each outside package is imported by exactly one room.
func TestRooms(t *testing.T) {
	borrowed := make(map[string]bool)
	for _, goos := range []string{"linux", "darwin", "windows"} {
		for _, p := range listPackages(t, goos) {
			room := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
			i := slices.IndexFunc(rooms, func(r struct {
				name string
				may  []string
			}) bool {
				return r.name == room
			})
			if i < 0 {
				t.Errorf("%s: the folder %q is no room; see docs/design.md", goos, room)
				continue
			}
			for _, imported := range p.Imports {
				if inside, ok := strings.CutPrefix(imported, module+"/"); ok {
					if !slices.Contains(rooms[i].may, inside) {
						t.Errorf("%s: %q imports the room %q, which is not below it", goos, room, inside)
					}
					continue
				}
				checkHome(t, goos, room, imported, borrowed)
			}
			for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
				if !strings.HasPrefix(imported, module) {
					checkHome(t, goos, room, imported, borrowed)
				}
			}
		}
	}
	for outside, room := range lent {
		if !borrowed[outside] {
			t.Errorf("%s is lent to %q, which does not import it", outside, room)
		}
	}
}

// checkHome holds the second rule, and notes what is borrowed.
func checkHome(t *testing.T, goos, room, imported string, borrowed map[string]bool) {
	t.Helper()
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return // the standard library
	}
	for outside, home := range homes {
		if imported == outside || strings.HasPrefix(imported, outside+"/") {
			switch room {
			case home:
			case lent[outside]:
				borrowed[outside] = true
			default:
				t.Errorf("%s: %q imports %s, which is at home in %q", goos, room, imported, home)
			}
			return
		}
	}
	t.Errorf("%s: %q imports %s, which has no home yet: choose one room for it, in docs/design.md and here", goos, room, imported)
}

// TestMainProgramHasNoNATS holds that the campaign's engine stays out of the
// server: its size and first build are those of a program without it.
func TestMainProgramHasNoNATS(t *testing.T) {
	has := func(target string) bool {
		out, err := exec.Command("go", "list", "-deps", target).Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		return strings.Contains(string(out), "github.com/nats-io/")
	}
	if has(".") {
		t.Error("the main program depends on NATS: only campaign may")
	}
	if !has("./campaign") {
		t.Error("campaign does not depend on NATS: does this test look for the right thing?")
	}
}
