package mcpserver_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tun-mcp/tun-mcp/docs"
	"github.com/tun-mcp/tun-mcp/session"
)

// Prompts contain whole guides and repeat nothing from them in other words.
func TestPrompts(t *testing.T) {
	without6 := func() session.Status { now := status(); now.Agent6, now.Peer6 = "", ""; return now }
	assisted := func(level string) func() session.Status {
		return func() session.Status { now := without6(); now.Assist = level; return now }
	}
	tests := []struct {
		name, params string
		status       func() session.Status
		guides       []string // the guides in the prompt
		want         []string // texts besides the guides
		not          []string
	}{
		{"pings", `{"name":"answer-pings"}`, status, []string{"answer-pings.md"}, []string{"the host 10.77.0.2 and 2001:db8:77::2 ", "until the user says stop", "When the first ping over IPv6 comes, read the resource tun://docs/play-ip6.md."}, nil},
		{"pings without IPv6", `{"name":"answer-pings"}`, without6, []string{"answer-pings.md"}, []string{"the host 10.77.0.2 on"}, []string{"play-ip6.md"}},
		{"20 pings", `{"name":"answer-pings","arguments":{"count":"20"}}`, status, []string{"answer-pings.md"}, []string{"until you have answered 20."}, []string{"until the user"}},
		{"pings without summaries", `{"name":"answer-pings"}`, assisted("none"), []string{"no-summary.md", "answer-pings.md"}, nil, []string{"by-hand.md"}},
		{"pings without fix", `{"name":"answer-pings"}`, assisted("check"), []string{"answer-pings.md"}, nil, []string{"by-hand.md"}},
		{"host without summaries", `{"name":"play-host"}`, assisted("none"), []string{"no-summary.md", "by-hand.md", "play-host.md"}, nil, nil},
		{"host without fix", `{"name":"play-host"}`, assisted("check"), []string{"by-hand.md", "play-host.md"}, []string{"When the first TCP segment comes, read the resource tun://docs/play-tcp.md."}, []string{"tun://docs/by-hand.md"}},
		{"host", `{"name":"play-host"}`, status, []string{"play-host.md"},
			[]string{"the host 10.77.0.2 and 2001:db8:77::2 ", "When the first TCP segment comes, read the resource tun://docs/play-tcp.md. When the first IPv6 packet comes, read the resource tun://docs/play-ip6.md."}, []string{"tun://docs/answer-pings.md"}},
		{"host without IPv6", `{"name":"play-host"}`, without6, []string{"play-host.md"}, []string{"the host 10.77.0.2 on", "tun://docs/play-tcp.md."}, []string{"tun://docs/play-ip6.md"}},
		{"host with TCP", `{"name":"play-host","arguments":{"guides":"tcp"}}`, status, []string{"play-host.md", "play-tcp.md"}, nil, []string{"tun://docs/play-tcp.md"}},
		{"host with IPv6", `{"name":"play-host","arguments":{"guides":"ip6"}}`, status, []string{"play-host.md", "play-ip6.md"}, nil, []string{"tun://docs/play-ip6.md"}},
		{"handler", `{"name":"write-handler"}`, status, []string{"write-handler.md"}, []string{"a trial may start only then", "for echo requests", "tun://docs/answer-pings.md has the protocol."}, []string{"no-summary.md", "by-hand.md"}},
		{"handler without fix", `{"name":"write-handler","arguments":{"kind":"tcp"}}`, assisted("check"), []string{"write-handler.md"}, []string{"tun://docs/play-tcp.md has the protocol. For lengths and checksums: tun://docs/by-hand.md."}, []string{"no-summary.md"}},
		{"handler without summaries", `{"name":"write-handler","arguments":{"kind":"udp"}}`, assisted("none"), []string{"write-handler.md"}, []string{"Read tun://docs/no-summary.md first."}, nil},
		{"host with all", `{"name":"play-host","arguments":{"guides":"all"}}`, status, []string{"play-host.md", "answer-pings.md", "play-tcp.md", "play-ip6.md"}, nil, []string{"tun://docs/"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rest := prompt(t, newServer(t, test.status), test.params)
			for _, name := range test.guides {
				guide, err := docs.Files.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				before := rest
				if rest = strings.Replace(rest, strings.TrimSuffix(string(guide), "\n"), "", 1); rest == before {
					t.Errorf("the prompt lacks %s, or part of it", name)
				}
			}
			if n := utf8.RuneCountInString(rest); n > 500 {
				t.Errorf("besides its guides the prompt has %d characters, want at most 500:\n%s", n, rest)
			}
			for _, want := range test.want {
				if !strings.Contains(rest, want) {
					t.Errorf("the prompt lacks %q besides its guides:\n%s", want, rest)
				}
			}
			for _, not := range test.not {
				if strings.Contains(rest, not) {
					t.Errorf("the prompt has %q:\n%s", not, rest)
				}
			}
		})
	}
}
