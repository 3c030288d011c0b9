package child

import "os/exec"

// Guard does nothing: on Windows a child survives when this process is killed.
func Guard(*exec.Cmd) (release func(), err error) { return func() {}, nil }
