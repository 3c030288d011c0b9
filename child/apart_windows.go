package child

import (
	"os/exec"
	"syscall"
)

// Apart puts a child in its own process group. Call it before the child starts.
func Apart(child *exec.Cmd) {
	child.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// Kill kills such a child.
func Kill(child *exec.Cmd) error { return child.Process.Kill() }

// Interrupt kills such a child: Windows has no signal to send it.
func Interrupt(child *exec.Cmd) error { return child.Process.Kill() }
