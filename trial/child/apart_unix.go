//go:build unix

// Package child is about programs that are started in process groups of their
// own and must not be left behind.
package child

import (
	"os/exec"
	"syscall"
)

// Apart gives a child, before its start, a process group of its own.
func Apart(child *exec.Cmd) { child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// Kill ends such a child and what it has started, at once.
func Kill(child *exec.Cmd) error { return syscall.Kill(-child.Process.Pid, syscall.SIGKILL) }

// Interrupt tells such a child, and what it has started, to end.
func Interrupt(child *exec.Cmd) error { return syscall.Kill(-child.Process.Pid, syscall.SIGINT) }
