//go:build unix

package child

import (
	"fmt"
	"os/exec"
	"strconv"
)

// guarding is the shell script of Guard. Its stdin pipe closes when the process
// at the other end ends, for whatever reason.
const guarding = `read -r word && exit; kill -TERM "-$1"; sleep 5; kill -KILL "-$1"`

// Guard ends a child started with Apart, and everything it started, if this
// process ends without calling release, even if it is killed. The child gets
// SIGTERM, and SIGKILL after 5 s. Call release once the child has ended.
func Guard(child *exec.Cmd) (release func(), err error) {
	shell := exec.Command("/bin/sh", "-c", guarding, "guard", strconv.Itoa(child.Process.Pid))
	Apart(shell) // Ctrl-C must not reach it
	pipe, err := shell.StdinPipe()
	if err == nil {
		err = shell.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("starting a shell that ends the agent when this program is killed: %w", err)
	}
	return func() {
		_, _ = pipe.Write([]byte("released\n")) // if the shell is gone, there is nothing to release
		_ = pipe.Close()
		_ = shell.Wait()
	}, nil
}
