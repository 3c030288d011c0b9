package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/agent"
	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/trial/scenario"
	"github.com/tun-mcp/tun-mcp/trial/subject"
	"github.com/tun-mcp/tun-mcp/tun"
)

// values holds what the shell offers for each flag, in every command that has a
// flag of that name, unless completeCommands sets something else.
var values = map[string]cobra.CompletionFunc{
	"network": fixed(
		tun.NetworkAuto+"\tprivate if available, else memory",
		tun.NetworkPrivate+"\tthe kernel, in a namespace; no root",
		tun.NetworkMemory+"\tinside this process, on any system",
		tun.NetworkHost+"\tthis machine's own network"),
	"assist": fixed(
		string(tools.AssistNone)+"\tbytes in, bytes out",
		string(tools.AssistCheck)+"\tfaults are named, not sent",
		string(tools.AssistFix)+"\tlengths and checksums are filled in"),
	"log-level": fixed("debug", "info", "warn", "error"),
	"mistake":   fixed(strings.Split(agent.Mistakes(), ", ")...),
	"agent": fixed(
		subject.Builtin+"\tthe stack of this program",
		subject.Handler+"\ta packet handler alone, see --handler",
		subject.Claude+"\tClaude Code, as claude -p",
		subject.Running+"\tthe agent of a running session",
		subject.Served+"\tthe MCP client that started this trial"),
	"handlers": fixed("on\tthe agent may install handlers", "off\tit may not"),
	"handler":  files("star"),
	"json":     files("json"),
	"jsonl":    files("jsonl"),
	"junit":    files("xml"),
	"html":     files("html"),
	"record":   files("pcapng"),
	"pcapng":   files("pcapng"),
	"form":     fixed("svg\ta picture", "mermaid\ta sequence diagram as text"),
}

// free lists the flags whose values only the user knows.
var free = []string{"addr", "addr6", "mtu", "queue", "name", "impair", "allow-dest", "max-pps", "http", "web", "watch", "session", "model", "seed",
	"handler-source", "handler-steps", "handler-time", "handler-memory", "ping", "count", "since", "interval", "deadline", "repeat", "shard", "size", "wait"}

// completeCommands sets what the shell offers for each command of the tree.
func completeCommands(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		completeCommands(cmd)
	}
	switch root.Name() {
	case "watch":
		complete(root, "session", runningSessions)
		root.ValidArgsFunction = cobra.NoFileCompletions
	case "exec": // a program, and its arguments
		complete(root, "session", runningSessions)
	case "ping":
		complete(root, "session", runningSessions)
		root.ValidArgsFunction = agentAddresses
	case "replay":
		complete(root, "session", runningSessions)
		root.ValidArgsFunction = files("pcap", "pcapng")
	case "ladder":
		root.ValidArgsFunction = files("pcap", "pcapng")
	case "trial":
		complete(root, "session", runningSessions)
		complete(root, "network", fixed(tun.NetworkAuto, tun.NetworkPrivate, tun.NetworkMemory))
		root.ValidArgsFunction = scenarios
	case "compare":
		root.ValidArgsFunction = files("json")
	default: // here --session names a new one
		if root.ValidArgsFunction == nil {
			root.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
	for name, offer := range values {
		complete(root, name, offer)
	}
	for _, name := range free {
		complete(root, name, cobra.NoFileCompletions)
	}
}

// complete sets the values offered for a flag, if cmd has the flag and offers
// nothing for it yet.
func complete(cmd *cobra.Command, flag string, offer cobra.CompletionFunc) {
	if cmd.LocalFlags().Lookup(flag) == nil {
		return
	}
	if _, set := cmd.GetFlagCompletionFunc(flag); !set {
		_ = cmd.RegisterFlagCompletionFunc(flag, offer) // the flag is there
	}
}

// fixed offers only these words.
func fixed(words ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// files offers files with these extensions.
func files(extensions ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(extensions, cobra.ShellCompDirectiveFilterFileExt)
}

// scenarios offers the scenarios that are not on the command line yet.
func scenarios(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	names := slices.DeleteFunc(strings.Split(scenario.Names(), ", "), func(name string) bool { return slices.Contains(given, name) })
	return names, cobra.ShellCompDirectiveNoFileComp
}

// runningSessions offers the sessions that are running, the newest first.
func runningSessions(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return control.Running(), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// agentAddresses offers the agent's addresses in the session that --session
// names. It waits at most 2 s for the session, then offers nothing.
func agentAddresses(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp
	client, err := control.Find(cmd.Flag("session").Value.String())
	if err != nil || len(given) > 0 {
		return nil, none
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	status, err := client.Status(ctx)
	if err != nil {
		return nil, none
	}
	return slices.DeleteFunc([]string{status.Agent, status.Agent6}, func(a string) bool { return a == "" }), none
}
