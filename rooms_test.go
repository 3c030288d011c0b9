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
	{"", []string{"mcpserver", "trial", "trial/agent", "trial/report", "trial/score", "ping", "tools", "session/control", "session", "tun"}},
	{"mcpserver", []string{"tools", "session", "docs"}},
	{"trial", []string{"trial/judge", "trial/report", "trial/score", "trial/child", "session/control", "session", "packet", "docs"}},
	{"trial/agent", []string{"trial/child", "trial/score", "session", "packet", "tun/netstack"}},
	{"trial/judge", []string{"trial/score", "session"}},
	{"trial/report", []string{"trial/score"}},
	{"trial/score", []string{"session", "packet"}},
	{"trial/child", nil},
	{"tools", []string{"session", "packet"}},
	{"ping", []string{"session/control"}},
	{"session/control", []string{"session", "packet", "tun"}},
	{"session", []string{"packet", "tun"}},
	{"packet", nil},
	{"tun", []string{"tun/netstack"}},
	{"tun/tuntest", []string{"tun"}},
	{"tun/netstack", nil},
	{"docs", nil},
}

// homes says in which room each outside module is at home.
var homes = map[string]string{
	"github.com/spf13/cobra":             "",
	"github.com/mark3labs/mcp-go/server": "mcpserver",
	"github.com/mark3labs/mcp-go/client": "trial/agent",
	"github.com/mark3labs/mcp-go/mcp":    "mcpserver",
	"github.com/google/gopacket":         "packet",
	"github.com/songgao/water":           "tun",
	"github.com/vishvananda/netlink":     "tun",
	"golang.org/x/net/dns":               "trial/agent",
	"golang.org/x/net/icmp":              "ping",
	"golang.org/x/net/ipv4":              "ping",
	"golang.org/x/net/ipv6":              "ping",
	"golang.org/x/sys":                   "tun",
	"gvisor.dev/gvisor":                  "tun/netstack",

	"github.com/santhosh-tekuri/jsonschema/v6": "e2e", // a test's alone
}

// lent says which room besides its home imports a package: the words of MCP are
// the same at both of their ends, and tuntest is a corner of tun.
var lent = map[string]string{
	"github.com/mark3labs/mcp-go/mcp": "trial/agent",
	"golang.org/x/sys":                "tun/tuntest",
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
