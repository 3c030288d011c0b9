package trial

import (
	"os/exec"
	"syscall"
)

// setApart gives a child, before its start, a process group of its own.
func setApart(child *exec.Cmd) {
	child.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// kill ends such a child at once.
func kill(child *exec.Cmd) error { return child.Process.Kill() }

// interrupt ends such a child: Windows has no signal to send it.
func interrupt(child *exec.Cmd) error { return child.Process.Kill() }
