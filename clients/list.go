package clients

import "path"

// timeout is the timeout of a tool call in configurations that need one, in seconds. A
// read_packet may wait for 90 s.
const timeout = 120

// All has every known client.
var All = []Client{
	{ID: "claude-code", Name: "Claude Code", Programs: []string{"claude"}, Shared: true, key: "mcpServers", entry: claudeCode,
		Files: func(m Machine) []string {
			if dir := m.Getenv("CLAUDE_CONFIG_DIR"); dir != "" {
				return []string{path.Join(dir, ".claude.json")}
			}
			return []string{m.in(".claude.json")}
		}},
	{ID: "claude-desktop", Name: "Claude Desktop", key: "mcpServers", entry: plain,
		Files: func(m Machine) []string { return []string{m.appData("Claude", "claude_desktop_config.json")} }},
	{ID: "codex", Name: "Codex CLI", Programs: []string{"codex"}, key: "mcp_servers", toml: true, entry: codex,
		Files: func(m Machine) []string { return []string{m.under("CODEX_HOME", ".codex", "config.toml")} }},
	{ID: "gemini", Name: "Gemini CLI", Programs: []string{"gemini"}, key: "mcpServers", entry: gemini,
		Files: func(m Machine) []string { return []string{m.in(".gemini", "settings.json")} }},
	{ID: "qwen", Name: "Qwen Code", Programs: []string{"qwen"}, key: "mcpServers", entry: gemini,
		Files: func(m Machine) []string { return []string{m.in(".qwen", "settings.json")} }},
	{ID: "opencode", Name: "opencode", Programs: []string{"opencode"}, key: "mcp", entry: opencode,
		Files: func(m Machine) []string {
			if file := m.Getenv("OPENCODE_CONFIG"); file != "" {
				return []string{file}
			}
			return []string{m.config("opencode", "opencode.json"), m.config("opencode", "opencode.jsonc")}
		}},
	{ID: "copilot", Name: "GitHub Copilot CLI", Programs: []string{"copilot"}, key: "mcpServers", entry: copilot,
		Files: func(m Machine) []string { return []string{m.under("COPILOT_HOME", ".copilot", "mcp-config.json")} }},
	{ID: "vscode", Name: "VS Code", Programs: []string{"code"}, key: "servers", entry: typed,
		Files: func(m Machine) []string { return []string{m.appData("Code", "User", "mcp.json")} }},
	{ID: "vscode-insiders", Name: "VS Code Insiders", Programs: []string{"code-insiders"}, key: "servers", entry: typed,
		Files: func(m Machine) []string { return []string{m.appData("Code - Insiders", "User", "mcp.json")} }},
	{ID: "cursor", Name: "Cursor", Programs: []string{"cursor"}, key: "mcpServers", entry: plain,
		Files: func(m Machine) []string { return []string{m.in(".cursor", "mcp.json")} }},
	{ID: "windsurf", Name: "Windsurf", Programs: []string{"windsurf"}, key: "mcpServers", entry: plain,
		Files: func(m Machine) []string { return []string{m.in(".codeium", "windsurf", "mcp_config.json")} }},
	{ID: "zed", Name: "Zed", Programs: []string{"zed", "zeditor"}, key: "context_servers", entry: zed,
		Files: func(m Machine) []string {
			if m.OS == "windows" {
				return []string{m.appData("Zed", "settings.json")}
			}
			return []string{m.config("zed", "settings.json")}
		}},
	{ID: "lmstudio", Name: "LM Studio", key: "mcpServers", entry: plain,
		Files: func(m Machine) []string { return []string{m.in(".lmstudio", "mcp.json")} }},
	{ID: "kiro", Name: "Kiro", Programs: []string{"kiro"}, key: "mcpServers", entry: plain,
		Files: func(m Machine) []string { return []string{m.in(".kiro", "settings", "mcp.json")} }},
}

// command returns the command and arguments of an entry, in the form of most clients.
func command(argv []string) Fields {
	fields := Fields{{"command", argv[0]}}
	if len(argv) > 1 {
		fields = append(fields, Field{"args", argv[1:]})
	}
	return fields
}

func plain(argv []string) Fields { return command(argv) }

// claudeCode sets alwaysLoad, which loads the tools' schemas at once. Otherwise the model has
// to search for them first.
func claudeCode(argv []string) Fields {
	return append(append(Fields{{"type", "stdio"}}, command(argv)...), Field{"alwaysLoad", true})
}

func codex(argv []string) Fields { return append(command(argv), Field{"tool_timeout_sec", timeout}) }

func gemini(argv []string) Fields { return append(command(argv), Field{"timeout", timeout * 1000}) }

func opencode(argv []string) Fields {
	return Fields{{"type", "local"}, {"command", argv}, {"enabled", true}, {"timeout", timeout * 1000}}
}

func copilot(argv []string) Fields {
	return Fields{{"type", "local"}, {"command", argv[0]}, {"args", argv[1:]}, {"tools", []string{"*"}}}
}

func typed(argv []string) Fields { return append(Fields{{"type", "stdio"}}, command(argv)...) }

func zed(argv []string) Fields {
	return Fields{{"source", "custom"}, {"command", argv[0]}, {"args", argv[1:]}}
}
