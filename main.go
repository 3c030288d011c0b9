// Tun-mcp puts an AI agent on the wire. It is an MCP server that gives an agent
// one end of an IP link: the agent reads raw packets, works out the answer byte by
// byte, and writes raw packets back. At the other end is a real TCP/IP stack.
//
// The command without arguments serves MCP on stdin and stdout; tun-mcp --help
// lists the others. README.md has the first steps, docs/design.md the picture of
// the rooms.
package main

import "github.com/tun-mcp/tun-mcp/cli"

func main() { cli.Main() }
