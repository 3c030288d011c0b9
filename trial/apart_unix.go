//go:build unix

package trial

import (
	"os/exec"
	"syscall"
)

// setApart gives a child, before its start, a process group of its own.
func setApart(child *exec.Cmd) { child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// kill ends such a child and what it has started, at once.
func kill(child *exec.Cmd) error { return syscall.Kill(-child.Process.Pid, syscall.SIGKILL) }

// interrupt tells such a child, and what it has started, to end.
func interrupt(child *exec.Cmd) error { return syscall.Kill(-child.Process.Pid, syscall.SIGINT) }
