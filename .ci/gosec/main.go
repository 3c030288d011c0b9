// Gosec reports what securego/gosec finds in the folders that are named, but for
// what was looked at and is meant. Its own command compiles the SDKs of several
// model vendors; its library does not.
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

// meant lists by rule the files whose findings were looked at; no files: the
// rule says nothing here.
var meant = map[string][]string{
	"G104": {}, // an error that is not looked at: of Close, and of writes to a builder or the terminal
	"G115": {}, // an integer is cut: lengths and sums of packets are 16 bits by their RFCs

	// The name of an environment variable, taken for a token.
	"G101": {"http.go"},
	// Commands that the user names, and this program itself.
	"G204": {"commands.go", "trial/launch.go", "trial/child/guard_unix.go", "trial/agent/client.go", "trial/agent/ping.go", "tun/tuntest/private.go"},
	// Files that the user names, and sysctls.
	"G304": {"trial_files.go", "mcpserver/http_token.go", "session/recordfile.go", "session/control/socket_unix.go", "trial/score/file.go", "tun/configure_linux.go"},
	// Reports, which are for reading; a folder, which has to be entered.
	"G302": {"trial_files.go", "trial/score/file.go", "session/control/socket.go"},
	"G306": {"trial/score/file.go"},
	// Random numbers that nobody must not guess: an identifier, and what has to come again with the seed.
	"G404": {"ping/kernel.go", "trial/run.go", "tun/lane.go"},
	// The page's own style and script, which are constants.
	"G203": {"trial/report/page.go"},
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
				fmt.Printf("%s: nothing is found there any more: take it off the list (%s)\n", file, rule)
				failed = true
			}
		}
	}
	if failed {
		os.Exit(1)
	}
}
