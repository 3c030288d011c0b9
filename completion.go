package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/trial"
	"github.com/tun-mcp/tun-mcp/trial/agent"
	"github.com/tun-mcp/tun-mcp/tun"
)

// values are what the shell offers for a flag: the same wherever a command has
// a flag of that name, unless completeCommands says otherwise.
var values = map[string]cobra.CompletionFunc{
	"network": fixed(
		tun.NetworkAuto+"\tprivate if it can be had, else memory",
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
		trial.AgentBuiltin+"\tthe stack of this program",
		trial.AgentClaude+"\tClaude Code, as claude -p",
		trial.AgentRunning+"\tthe agent of a running session"),
	"json":   files("json"),
	"html":   files("html"),
	"record": files("pcapng"),
}

// free are the flags whose values only the user knows.
var free = []string{"addr", "addr6", "mtu", "queue", "name", "impair", "allow-dest", "max-pps", "http", "session", "model", "seed",
	"ping", "count", "interval", "deadline", "size", "wait"}

// completeCommands tells the shell what each command of the tree accepts.
func completeCommands(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		completeCommands(cmd)
	}
	switch root.Name() {
	case "exec": // a program, and its arguments
		complete(root, "session", runningSessions)
	case "ping":
		complete(root, "session", runningSessions)
		root.ValidArgsFunction = agentAddresses
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

// complete offers values for a flag, if cmd has it and nothing is offered yet.
func complete(cmd *cobra.Command, flag string, offer cobra.CompletionFunc) {
	if cmd.LocalFlags().Lookup(flag) == nil {
		return
	}
	if _, set := cmd.GetFlagCompletionFunc(flag); !set {
		_ = cmd.RegisterFlagCompletionFunc(flag, offer) // the flag is there
	}
}

// fixed offers these words and no files.
func fixed(words ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// files offers files whose name ends so.
func files(extension string) cobra.CompletionFunc {
	return cobra.FixedCompletions([]string{extension}, cobra.ShellCompDirectiveFilterFileExt)
}

// scenarios offers those that are not on the command line yet.
func scenarios(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	names := slices.DeleteFunc(strings.Split(trial.Names(), ", "), func(name string) bool { return slices.Contains(given, name) })
	return names, cobra.ShellCompDirectiveNoFileComp
}

// runningSessions offers the sessions that are running, the newest first.
func runningSessions(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return control.Running(), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// agentAddresses offers the agent's addresses in the session that --session
// names. Nobody waits long for a list: a session that does not answer has none.
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
