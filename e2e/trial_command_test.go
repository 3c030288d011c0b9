package e2e

import (
	"encoding/binary"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tun-mcp/tun-mcp/agent"
	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/score"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// runTrialCommand runs `tun-mcp trial` and returns its report, its output and its exit
// status.
func runTrialCommand(t *testing.T, args ...string) (*score.Report, string, int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.json")
	cmd := exec.Command(program, append([]string{"trial", "--json", path}, args...)...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+tuntest.RuntimeDir(t))
	out, _ := cmd.CombinedOutput()
	report, err := score.Load(path)
	if err != nil && !os.IsNotExist(err) && cmd.ProcessState.ExitCode() != 2 {
		t.Fatalf("%v\n%s", err, out)
	}
	return report, string(out), cmd.ProcessState.ExitCode()
}

// The built-in agent passes every scenario, so each can be passed.
func TestTrialOfTheBuiltinAgent(t *testing.T) {
	t.Parallel()
	networks(t, func(t *testing.T, network string) {
		t.Parallel()
		report, out, status := runTrialCommand(t, "--network", network)
		if status != 0 || report.Total.Right != report.Total.Sent || len(report.Scenarios) != len(scenario.All()) {
			t.Errorf("exit status %d\n%s", status, out)
		}
		for _, s := range report.Scenarios {
			if !s.Passed || s.Skipped {
				t.Errorf("%s: %s", s.Scenario, s.Reason)
			}
		}
	})
}

// Agents that make one of eleven mistakes on purpose: each mistake is counted under its
// own kind only.
func TestTrialCountsEachMistake(t *testing.T) {
	t.Parallel()
	kinds := strings.Split(agent.Mistakes(), ", ")
	if len(kinds) != 11 {
		t.Fatalf("%d kinds of mistake", len(kinds))
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel() // it mostly waits
			scenario, want, deadline := "ping", 2, "4s"
			if kind == score.FaultNoise {
				scenario, want = "noise", 0
			}
			if kind == score.FaultLate {
				deadline = "1s"
			}
			report, out, status := runTrialCommand(t, scenario, "--network", "memory", "--count", "2", "--deadline", deadline, "--mistake", kind)
			faults := report.Total.Faults
			if status != 1 || len(faults) != 1 || faults[kind] == 0 || want > 0 && faults[kind] != want {
				t.Errorf("exit status %d, faults %v\n%s", status, faults, out)
			}
			if r := report.Total; r.Sent != r.Right+r.Wrong+r.Lost+r.Late {
				t.Errorf("%+v does not add up", r)
			}
		})
	}
}

func TestTrialUsage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args string
		want string
	}{
		{"nonsense", `there is no scenario "nonsense"; there are: ping, load`},
		{"ping --agent nobody", "accepted are builtin, handler, claude, running, served, or a command with {config}"},
		{"ping --count 0", "--count 0: accepted are 1 to"},
		{"ping --assist some", `--assist "some": unknown; use none, check or fix`},
		{"ping --mistake all", `--mistake: there is no mistake "all"; accepted: ip-checksum`},
		{"ping --network host", "accepted are auto, private, memory"},
		{"ping --network x", `--network "x": accepted are auto, private, memory`},
		{"ping --record .", "--record .: it is a folder: name a file in it"},
		{"ping --record nowhere/x", "--record: the file cannot be created: open nowhere/x: "},
		{"ping --interval 0", "--interval 0s: accepted is 1ms or more"},
		{"ping --deadline 0", "--deadline 0s: accepted is 10ms or more"},
		{"ping --model x", "--model goes with --agent claude"},
		{"ping --session x", "--session needs --agent running"},
	}
	for _, test := range tests {
		_, out, status := runTrialCommand(t, strings.Fields(test.args)...)
		if status != 2 || !strings.Contains(out, test.want) {
			t.Errorf("%s: exit status %d, want 2 and %q\n%s", test.args, status, test.want, out)
		}
	}
}

// A trial of a command that is not an agent ends with a reason and never hangs.
func TestTrialOfBadAgents(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, agent, want string }{
		{"exits", "echo no tokens left >&2; exit 3; {server}", "the agent ended before it started the server: exit status 3; last output: no tokens left"},
		{"never starts the server", "sleep 60; {server}", "the agent did not start the server in 10.3s"},
		{"never reads", "sleep 60 | {server}", "the agent did not read from the link in 10.3s"},
		{"answers garbage", "yes '{}' | head -n 1000 | {server} >/dev/null", " ended before "}, // of session or agent, whichever is seen first
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			report, out, status := runTrialCommand(t, "ping", "--count", "1", "--network", "memory", "--deadline", "300ms", "--agent", test.agent)
			if status != 1 || len(report.Scenarios) != 1 || !report.Scenarios[0].Skipped || !strings.Contains(report.Scenarios[0].Reason, test.want) {
				t.Errorf("exit status %d, want 1 and the reason %q\n%s", status, test.want, out)
			}
		})
	}
}

// The same seed sends the same packets: noise byte by byte, and from the peer's stack
// everything that the stack does not choose itself.
func TestTrialSeed(t *testing.T) {
	t.Parallel()
	sent := func(seed string) []string {
		path := filepath.Join(t.TempDir(), "seed.pcapng")
		_, out, status := runTrialCommand(t, "noise", "udp-echo", "--network", "memory", "--count", "16", "--seed", seed, "--record", path)
		if status != 0 {
			t.Fatal(out)
		}
		return peerPayloads(t, path)
	}
	a, b, c := sent("1"), sent("1"), sent("2")
	if len(a) < 16+8+16 || !slices.Equal(a, b) {
		t.Errorf("the same seed sent\n%q and\n%q", a, b)
	}
	if slices.Equal(a, c) {
		t.Error("another seed sent the same packets")
	}
}

// peerPayloads returns what the peer sent, from a recording: whole packets of noise,
// and the bytes after both headers of echo requests and datagrams.
func peerPayloads(t *testing.T, path string) (all []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const enhancedPacket, ofPeer = 6, 0
	for len(data) >= 12 {
		kind, length := binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:])
		if length < 12 || int(length) > len(data) {
			t.Fatalf("a block of %d bytes, but only %d are left", length, len(data))
		}
		if kind == enhancedPacket && binary.LittleEndian.Uint32(data[8:]) == ofPeer {
			p := data[28:][:binary.LittleEndian.Uint32(data[20:])]
			if len(packet.Check(p)) == 0 && len(p) >= 28 {
				p = p[28:]
			}
			all = append(all, hex.EncodeToString(p))
		}
		data = data[length:]
	}
	return all
}

// An existing file is replaced if it is an older report, and kept if it is anything
// else.
func TestTrialReplacesOnlyReports(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	notes, report, page := filepath.Join(folder, "notes"), filepath.Join(folder, "a.json"), filepath.Join(folder, "a.html")
	if err := os.WriteFile(notes, []byte("{} is what I wrote"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		cmd := exec.Command(program, "trial", "ping", "--network", "memory", "--count", "1", "--json", report, "--html", page)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+tuntest.RuntimeDir(t))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for flag, path := range map[string]string{"--json": notes, "--html": report} {
		out, err := exec.Command(program, "trial", "ping", "--network", "memory", flag, path).CombinedOutput()
		if want := "the file exists and is not the report of a trial: remove it or name another"; err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s %s: %v, want %q\n%s", flag, path, err, want, out)
		}
	}
	if kept, err := os.ReadFile(notes); err != nil || string(kept) != "{} is what I wrote" {
		t.Errorf("the notes are now %q, %v", kept, err)
	}
}

// A report of another version is refused with the reason.
func TestTrialComparesOneVersion(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "later.json")
	if err := os.WriteFile(path, []byte(`{"version": 2, "program": "9.0"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "trial", "compare", path, path).CombinedOutput()
	if want := `it has version 2, written by tun-mcp "9.0", and this program reads version 1`; err == nil || !strings.Contains(string(out), want) {
		t.Errorf("%v, want %q\n%s", err, want, out)
	}
}

// If claude is not installed, the result's reason says so.
func TestTrialWithoutItsAgent(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	report, out, status := runTrialCommand(t, "ping", "--network", "memory", "--agent", "claude")
	if status != 1 || !report.Scenarios[0].Skipped || !strings.Contains(report.Scenarios[0].Reason, "claude is not on PATH: install Claude Code") {
		t.Errorf("exit status %d\n%s", status, out)
	}
}
