package tun

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRemedy(t *testing.T) {
	type sysctls map[string]string
	for _, c := range []struct {
		name     string
		err      syscall.Errno
		settings sysctls
		want     string
	}{
		{"Debian before 11", unix.EPERM, sysctls{"kernel.unprivileged_userns_clone": "0"}, "sudo sysctl kernel.unprivileged_userns_clone=1"},
		{"Ubuntu 24.04", unix.EPERM, sysctls{"kernel.apparmor_restrict_unprivileged_userns": "1", "kernel.unprivileged_userns_clone": "1"}, "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
		{"RHEL 7", unix.ENOSPC, sysctls{"user.max_user_namespaces": "0"}, "user.max_user_namespaces is 0 here"},
		{"all used", unix.ENOSPC, sysctls{"user.max_user_namespaces": "63"}, "user.max_user_namespaces is 63 here"},
		{"no networks", unix.ENOSPC, sysctls{"user.max_net_namespaces": "0"}, "user.max_net_namespaces is 0 here"},
		{"docker", unix.EPERM, nil, "seccomp=unconfined"},
		{"kernel without", unix.EINVAL, nil, "no user namespaces"},
		{"out of memory", unix.ENOMEM, nil, "use --network memory"},
		{"no descriptors", unix.EMFILE, nil, "ulimit -n 1024"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := remedy(c.err, func(name string) string { return c.settings[name] })
			if !strings.Contains(got, c.want) || strings.Contains(got, "--network memory") == (c.err == unix.EMFILE) {
				t.Errorf("remedy is %q, want %q and --network memory in it", got, c.want)
			}
		})
	}
}

func TestForbiddenKeepsTheKernelsError(t *testing.T) {
	err := forbidden("make a namespace", &os.PathError{Op: "fork/exec", Path: "/proc/self/exe", Err: unix.ENOSPC})
	if !errors.Is(err, unix.ENOSPC) {
		t.Errorf("%v does not wrap ENOSPC", err)
	}
	if !strings.HasPrefix(err.Error(), "make a namespace: no space left on device; ") {
		t.Errorf("the error is %q", err)
	}
}
