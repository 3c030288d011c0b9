package child

import (
	"os/exec"
	"syscall"
)

// Apart gives a child, before its start, a process group of its own.
func Apart(child *exec.Cmd) {
	child.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// Kill ends such a child at once.
func Kill(child *exec.Cmd) error { return child.Process.Kill() }

// Interrupt ends such a child: Windows has no signal to send it.
func Interrupt(child *exec.Cmd) error { return child.Process.Kill() }
