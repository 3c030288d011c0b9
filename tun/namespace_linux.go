package tun

import (
	"errors"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// forbidden says that the kernel let what not happen, and which of its settings
// is behind it. It is right for the new namespaces themselves, and for what
// their holder may not do inside: with Ubuntu's AppArmor setting a user can
// make the namespaces but has no right in them.
func forbidden(what string, err error) error {
	r := &refusal{What: what, Cause: err.Error()}
	if errors.As(err, &r.Errno) {
		r.Cause = r.Errno.Error()
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); r.Errno == unix.EACCES && err == nil && dumpable != 1 {
		// The map of user ids, in /proc, is root's then.
		r.Todo = "the kernel lets a program whose file carries capabilities map no users: remove them with `sudo setcap -r FILE`, or use --network host or --network memory"
		return r
	}
	r.Todo = remedy(r.Errno, func(name string) string {
		value, _ := os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
		return strings.TrimSpace(string(value))
	})
	return r
}

// remedy says what to do about err, given the kernel's settings. A setting that
// this kernel does not have is empty.
func remedy(err syscall.Errno, sysctl func(name string) string) string {
	const or = ", or use --network memory"
	switch err {
	case unix.EPERM, unix.EACCES, unix.ENOSPC, unix.EUSERS, unix.EINVAL, unix.ENOSYS:
	default:
		return "use --network memory"
	}
	raise := func(name string) string {
		return name + " is " + sysctl(name) + " here: allow more with `sudo sysctl " + name + "=100000`" + or
	}
	for _, name := range []string{"user.max_user_namespaces", "user.max_net_namespaces"} {
		if sysctl(name) == "0" {
			return raise(name)
		}
	}
	if err == unix.ENOSPC { // all of them are used up: rarely the networks alone
		return raise("user.max_user_namespaces")
	}
	if err == unix.EPERM || err == unix.EACCES {
		if sysctl("kernel.unprivileged_userns_clone") == "0" {
			return "allow users their own namespaces with `sudo sysctl kernel.unprivileged_userns_clone=1`" + or
		}
		if sysctl("kernel.apparmor_restrict_unprivileged_userns") == "1" {
			return "AppArmor takes users' rights in their own namespaces: allow them with `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`" + or
		}
	}
	return "this kernel has no user namespaces, or a sandbox or container around this program forbids them (docker does, unless started with `--security-opt seccomp=unconfined`): use --network memory"
}
