package tun_test

import (
	"os/exec"
	"testing"

	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// requireUnshare skips or fails the test if unshare cannot make the namespaces in which
// a test forbids things.
func requireUnshare(t *testing.T) {
	t.Helper()
	tuntest.RequirePrivate(t)
	tuntest.RequireProgram(t, "unshare")
}

func TestPrivateWithoutUserNamespaces(t *testing.T) {
	requireUnshare(t)
	for _, sysctl := range []string{"max_user_namespaces", "max_net_namespaces"} {
		r := openElsewhere(t, tun.Config{Network: "private"},
			"unshare", "-Ur", "sh", "-c", "echo 0 > /proc/sys/user/"+sysctl+" && exec \"$0\"")
		if r.Link != nil {
			t.Fatal("it was opened")
		}
		contains(t, r.Err, "open a link (network private): make a user and network namespace: no space left on device; user."+sysctl+" is 0 here: allow more with `sudo sysctl user."+sysctl+"=100000`, or use --network memory")
	}
}

func TestPrivateWithoutTUN(t *testing.T) {
	requireUnshare(t)
	r := openElsewhere(t, tun.Config{Network: "private"},
		"unshare", "-Urm", "sh", "-c", "mount -t tmpfs none /dev/net && exec \"$0\"")
	if r.Link != nil {
		t.Fatal("it was opened")
	}
	contains(t, r.Err, "open a link (network private): open /dev/net/tun: no such file or directory; load the module with `sudo modprobe tun`")
}

func TestAutoFallsBackToMemory(t *testing.T) {
	requireUnshare(t)
	r := openElsewhere(t, tun.Config{},
		"unshare", "-Ur", "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\"")
	if r.Link == nil {
		t.Fatal(r.Err)
	}
	if r.Link.Network != "memory" {
		t.Errorf("auto chose %s", r.Link.Network)
	}
	contains(t, r.Link.Why, "private is not available: make a user and network namespace: no space left on device; user.max_user_namespaces is 0 here")
}

func TestAutoTakesPrivate(t *testing.T) {
	tuntest.RequirePrivate(t)
	link, err := tun.Open(tun.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	if link.Network != "private" || link.Why != "this machine allows private network namespaces" {
		t.Errorf("the link is %+v", link)
	}
}

func TestProbe(t *testing.T) {
	tuntest.RequirePrivate(t)
	found := map[string]tun.Finding{}
	for _, f := range tun.Probe() {
		found[f.What] = f
		if f.Detail == "" || f.OK != (f.Todo == "") {
			t.Errorf("%+v: want a detail, and a next step only if it is not OK", f)
		}
	}
	_, err := exec.LookPath("nsenter")
	for what, ok := range map[string]bool{
		"private network": true, "memory network": true, "auto takes private": true, "/dev/net/tun": true,
		"nsenter": err == nil,
	} {
		if f, there := found[what]; !there || f.OK != ok {
			t.Errorf("%s: %+v, want OK %v", what, f, ok)
		}
	}
}
