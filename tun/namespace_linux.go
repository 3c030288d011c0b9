package tun

import (
	"errors"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// forbidden returns the error for a step that the kernel refused, with the setting that
// is the likely cause. It covers both the creation of namespaces and the holder's steps
// inside them: with Ubuntu's AppArmor setting, a user can create namespaces but has no
// rights in them.
func forbidden(what string, err error) error {
	r := &refusal{What: what, Cause: err.Error()}
	if errors.As(err, &r.Errno) {
		r.Cause = r.Errno.Error()
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); r.Errno == unix.EACCES && err == nil && dumpable != 1 {
		// In this case root owns the map of user ids in /proc.
		r.Todo = "the kernel does not let a program with file capabilities map users: remove them with `sudo setcap -r FILE`, or use --network host or --network memory"
		return r
	}
	r.Todo = remedy(r.Errno, func(name string) string {
		value, _ := os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
		return strings.TrimSpace(string(value))
	})
	return r
}

// remedy returns the next step after err, given the kernel's settings. sysctl returns ""
// for a setting that this kernel does not have.
func remedy(err syscall.Errno, sysctl func(name string) string) string {
	const or = ", or use --network memory"
	switch err {
	case unix.EAGAIN: // of fork(2)
		return "allow this user more processes with ulimit -u, or raise the container's limit of pids" + or
	case unix.EPERM, unix.EACCES, unix.ENOSPC, unix.EUSERS, unix.EINVAL, unix.ENOSYS:
	default:
		return lastResort(err)
	}
	raise := func(name string) string {
		return name + " is " + sysctl(name) + " here: allow more with `sudo sysctl " + name + "=100000`" + or
	}
	for _, name := range []string{"user.max_user_namespaces", "user.max_net_namespaces"} {
		if sysctl(name) == "0" {
			return raise(name)
		}
	}
	if err == unix.ENOSPC { // all namespaces are in use; rarely only those for networks
		return raise("user.max_user_namespaces")
	}
	if err == unix.EPERM || err == unix.EACCES {
		if sysctl("kernel.unprivileged_userns_clone") == "0" {
			return "allow users their own namespaces with `sudo sysctl kernel.unprivileged_userns_clone=1`" + or
		}
		if sysctl("kernel.apparmor_restrict_unprivileged_userns") == "1" {
			return "AppArmor denies users rights in their own namespaces: allow them with `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`" + or
		}
	}
	return "this kernel has no user namespaces, or a sandbox or container around this program forbids them (docker does, unless it is started with `--security-opt seccomp=unconfined`): use --network memory"
}
