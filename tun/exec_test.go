package tun

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestExecCommandRefuses(t *testing.T) {
	ping := []string{"ping", "10.77.0.2"}
	for _, c := range []struct {
		name    string
		network string
		holder  int
		args    []string
		want    string
	}{
		{"nothing", "private", 1, nil, "no program given"},
		{"memory", "memory", 0, ping, "tun-mcp ping"},
		{"unknown network", "auto", 0, ping, `the network "auto" is unknown`},
		{"no holder", "private", 0, ping, "not the holder of a private network"},
		{"another process", "private", os.Getpid(), ping, "not the holder of a private network"},
	} {
		t.Run(c.name, func(t *testing.T) {
			argv, err := ExecCommand(c.network, c.holder, c.args)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("ExecCommand returned %q, %v, want %q in the error", argv, err, c.want)
			}
		})
	}
}

func TestExecCommandHost(t *testing.T) {
	ping := []string{"ping", "10.77.0.2"}
	argv, err := ExecCommand("host", 0, ping)
	if err != nil || !slices.Equal(argv, ping) {
		t.Errorf("ExecCommand returned %q, %v, want the arguments unchanged", argv, err)
	}
}
