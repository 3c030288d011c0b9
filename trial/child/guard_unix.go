//go:build unix

package child

import (
	"fmt"
	"os/exec"
	"strconv"
)

// guarding is the shell's part of Guard. The pipe to it closes with the process
// that holds the other end, however that ends.
const guarding = `read -r word && exit; kill -TERM "-$1"; sleep 5; kill -KILL "-$1"`

// Guard ends a child that is apart, and what it has started, as soon as this
// process ends without having called release, even if it is killed: first
// SIGTERM, after 5 s SIGKILL. Release has to be called once the child has ended.
func Guard(child *exec.Cmd) (release func(), err error) {
	shell := exec.Command("/bin/sh", "-c", guarding, "guard", strconv.Itoa(child.Process.Pid))
	Apart(shell) // Ctrl-C is not for it
	pipe, err := shell.StdinPipe()
	if err == nil {
		err = shell.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("starting a shell that ends the agent when this program is killed: %w", err)
	}
	return func() {
		_, _ = pipe.Write([]byte("released\n")) // a shell that is gone guards nothing
		_ = pipe.Close()
		_ = shell.Wait()
	}, nil
}
