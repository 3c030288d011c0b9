// Package e2e drives the built program as its users do: over real stdio and HTTP,
// from the command line, with the kernel's own programs at the far end, with real
// MCP clients. Its tests run in the module's folder.
package e2e
