// Gosec runs securego/gosec on the named folders and prints the findings that are
// not in its list of accepted ones. It uses gosec as a library, because gosec's own
// command compiles the SDKs of several model vendors.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/securego/gosec/v2"
	"github.com/securego/gosec/v2/analyzers"
	"github.com/securego/gosec/v2/rules"
)

// meant lists, by rule, the files whose findings were checked and accepted. An empty
// list accepts them in all files.
var meant = map[string][]string{
	"G104": {}, // ignored errors: of Close, and of writes to a builder or the terminal
	"G115": {}, // integer conversions: RFCs define packet lengths and checksums as 16 bits

	// The name of an environment variable, taken for a token.
	"G101": {"cli/serve_http.go"},
	// Commands that the user gives, and this program itself.
	"G204": {"cli/exec.go", "trial/subject/launch.go", "child/guard_unix.go", "agent/client.go", "agent/ping.go", "tun/tuntest/private.go", "tun/tuntest/apart_linux.go", "campaign/program.go", "campaign/worker/play.go"},
	// Files that the user names, and sysctls.
	"G304": {"campaign/plan/agent.go", "campaign/plan/plan.go", "campaign/program.go", "campaign/queue/server.go", "campaign/worker/play.go", "cli/capture.go", "cli/serve_handler.go", "trial/score/lines.go", "cli/trial_files.go", "cli/watch.go", "mcpserver/http_token.go", "session/recordfile.go", "control/socket_unix.go", "trial/score/file.go", "tun/configure_linux.go"},
	// Reports, which others may read, and a folder, which needs the x bit.
	"G302": {"cli/trial_files.go", "trial/score/file.go", "trial/score/lines.go", "control/socket.go", "campaign/record/book.go", "campaign/record/lock_unix.go"},
	"G301": {"cli/install_edit.go", "campaign/start.go", "campaign/record/folder.go"},
	"G306": {"campaign/record/folder.go"},
	// The content of a YAML mapping is pairs of key and value.
	"G602": {"campaign/plan/keys.go"},
	// A cookie of a page on loopback, without TLS.
	"G124": {"watch/page/page.go"},
	// A folder that the user's environment names.
	"G703": {"control/folders.go"},
	// Pointers that are compared but never dereferenced.
	"G103": {"handler/measure.go"},
	// Random numbers that need not be secret: an identifier, and values that the seed must reproduce.
	"G404": {"ping/kernel.go", "trial/one_scenario.go", "trial/traffic/programs.go", "tun/lane.go"},
	// The page's own style and script, which are constants.
	"G203": {"trial/report/page.go", "campaign/report/page.go", "watch/page/app.go"},
	// An event's id. The only input from the browser in it is a number.
	"G705": {"watch/page/handler.go"},
}

func main() {
	top, err := os.Getwd()
	if err != nil {
		log.Fatal(err)
	}
	checks, flows := rules.Generate(false), analyzers.Generate(false)
	analyzer := gosec.NewAnalyzer(gosec.NewConfig(), false, false, false, runtime.NumCPU(), log.New(io.Discard, "", 0))
	analyzer.LoadRules(checks.RulesInfo())
	analyzer.LoadAnalyzers(flows.AnalyzersInfo())
	if err := analyzer.Process(nil, os.Args[1:]...); err != nil {
		log.Fatal(err)
	}
	found, metrics, failures := analyzer.Report()
	failed := len(failures) > 0 || metrics.NumFiles == 0
	for file, errs := range failures {
		fmt.Println(file, errs)
	}
	seen := map[string]bool{}
	for _, issue := range found {
		file, err := filepath.Rel(top, issue.File)
		if err != nil {
			file = issue.File
		}
		files, known := meant[issue.RuleID]
		seen[issue.RuleID+file] = true
		if !known || len(files) > 0 && !slices.Contains(files, filepath.ToSlash(file)) {
			fmt.Printf("%s:%s: %s (%s)\n", file, issue.Line, issue.What, issue.RuleID)
			failed = true
		}
	}
	for rule, files := range meant {
		for _, file := range files {
			if !seen[rule+file] {
				fmt.Printf("%s: there are no findings any more; remove it from the list (%s)\n", file, rule)
				failed = true
			}
		}
	}
	if failed {
		os.Exit(1)
	}
}
