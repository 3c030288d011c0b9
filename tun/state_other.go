//go:build !linux

package tun

// State always returns "up", since a stack in this process cannot be set down.
func (l *Link) State() string { return "up" }

// CurrentMTU returns the longest packet that the link carries, in bytes.
func (l *Link) CurrentMTU() int { return l.MTU }
