//go:build !linux

package tun

// State says that the link is "up": a stack in this process has no switch.
func (l *Link) State() string { return "up" }

// CurrentMTU is the longest packet that the link carries, in bytes.
func (l *Link) CurrentMTU() int { return l.MTU }
