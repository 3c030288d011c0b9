//go:build unix

// Package child runs other programs in their own process groups. It ends them,
// and everything they started, even if this process is killed.
package child

import (
	"os/exec"
	"syscall"
)

// Apart puts a child in its own process group. Call it before the child starts.
func Apart(child *exec.Cmd) { child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// Kill kills such a child and everything it started.
func Kill(child *exec.Cmd) error { return syscall.Kill(-child.Process.Pid, syscall.SIGKILL) }

// Interrupt asks such a child, and everything it started, to end.
func Interrupt(child *exec.Cmd) error { return syscall.Kill(-child.Process.Pid, syscall.SIGINT) }
