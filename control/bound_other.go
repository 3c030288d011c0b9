//go:build !linux

package control

// boundElsewhere returns nothing: only Linux lists other processes' sockets.
func boundElsewhere() []string { return nil }
