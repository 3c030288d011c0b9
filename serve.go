package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/tun-mcp/tun-mcp/mcpserver"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/session/control"
	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/tun"
)

// serve opens a session, serves it to the MCP client on in and out, or to those
// that come over HTTP, and closes it when the client or ctx ends.
func serve(ctx context.Context, o serveOptions, in, out *os.File) error {
	// A client that closed its end of stdout or stderr shows in the write, and
	// then the server ends in order. The signal would kill it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	queue, assist, allow, err := o.parse()
	if err != nil {
		return usage(err)
	}
	endpoint, err := o.http.listen(ctx)
	if err != nil {
		return err
	}
	defer endpoint.Close()
	if endpoint.HTTP == nil { // over HTTP it outlives the shell that started it
		alive, cancel := whileParentLives(ctx)
		defer cancel()
		ctx = alive
	}
	name := o.session
	if name == "" {
		name = newName()
	}
	// The name comes first: a second server of that name must not open a link.
	listener, err := control.Claim(name)
	if err != nil {
		return err
	}
	defer listener.Close()
	o.link.Cleanup = control.SocketPath(name)
	link, err := tun.Open(o.link)
	if err != nil {
		return err
	}
	if !o.impairment.IsZero() {
		defer impair(link, o.impairment)()
	}
	if link.Network == tun.NetworkHost {
		allow = append(allow, link.Addr.Masked())
		if link.Addr6.IsValid() {
			allow = append(allow, link.Addr6.Masked())
		}
	} else {
		allow = nil // these networks lead nowhere
	}
	recorder, err := o.openRecorder(name)
	if err != nil {
		link.Close()
		return err
	}
	s := session.New(link, session.Config{Name: name, MTU: link.MTU, Queue: queue, MaxPPS: o.maxPPS, Allow: allow, Record: recorder,
		Report: func(err error) {
			if meant, ok := errors.AsType[*session.EndedError](err); ok {
				slog.Info("the link was ended", "why", meant.Why)
				return
			}
			slog.Error("the link has ended: calls are answered with this until the server is restarted", "cause", err)
		}})
	defer s.Close()

	status := func() session.Status {
		status := s.Fill(describe(link, name, assist))
		status.Endpoint = endpoint.URL()
		return status
	}
	socket := control.Serve(s, listener, status)
	defer socket.Close()

	host := &tools.Host{Session: s, Assist: assist, NoASCII: o.noASCII, Own: own(link), Status: status}
	server, err := mcpserver.New(mcpserver.Config{Version: version(), Tools: host.All(), Status: status, Called: s.Called})
	if err != nil {
		return err
	}
	slog.Info("the link is up", "session", name, "network", link.Network, "why", link.Why, "device", link.Name,
		"peer", link.Addr, "agent", link.Agent(), "ping_with", pingWith(link, name), endpoint.attribute())
	if endpoint.HTTP != nil {
		if !endpoint.Loopback() {
			slog.Warn("other machines can reach this server: token and packets cross the network as they are, unless something in front encrypts them", "url", endpoint.URL())
		}
		return endpoint.Serve(ctx, server)
	}
	if isTerminal(in) {
		slog.Info("waiting for an MCP client on stdin; normally the client starts this program (see .mcp.json); to see it work: tun-mcp agent --ping 5. Ctrl-C ends it")
	}
	return mcpserver.ServeStdio(ctx, server, in, out)
}

// impair makes a link bad. The function that it returns says what that did.
func impair(link *tun.Link, rules tun.Impairment) (report func()) {
	device := tun.Impair(link.Device, rules)
	link.Device = device
	link.Why += "; it is impaired, each way: " + rules.String()
	return func() {
		fromPeer, toPeer := device.Counts()
		slog.Info("what the impaired link did", "from_peer", fromPeer, "to_peer", toPeer)
	}
}

// own lists the agent's addresses.
func own(link *tun.Link) []netip.Addr {
	return slices.DeleteFunc([]netip.Addr{link.Agent(), link.Agent6()}, func(a netip.Addr) bool { return !a.IsValid() })
}

// openRecorder opens what --record asks for; nil if it asks for nothing.
func (s *serveOptions) openRecorder(name string) (*session.Recorder, error) {
	if s.record == "" {
		return nil, nil
	}
	return session.OpenRecorder(s.record, name, "tun-mcp "+version(), func(err error) {
		slog.Error(err.Error())
	})
}

// describe says of a link what a session does not know.
func describe(link *tun.Link, name string, assist tools.Assist) session.Status {
	status := session.Status{
		PID: os.Getpid(), Version: version(), Network: link.Network, Why: link.Why, Holder: link.Holder,
		Device: link.Name, Link: link.State(), Peer: link.Addr.String(), Agent: link.Agent().String(),
		Assist: string(assist), PingWith: pingWith(link, name),
	}
	if link.Addr6.IsValid() {
		status.Peer6, status.Agent6 = link.Addr6.String(), link.Agent6().String()
	}
	return status
}

// goRun matches the path of a program that `go run` started: in a temporary
// folder, or in the build cache, wherever that is.
var goRun = regexp.MustCompile(`go-build|[/\\][0-9a-f]{64}-d[/\\]`)

// pingWith is a command that pings the agent from where the user stands.
func pingWith(link *tun.Link, name string) string {
	self := "tun-mcp"
	if goRun.MatchString(os.Args[0]) { // started by go run
		self = "go run ."
	}
	option := ""
	if len(control.Running()) > 1 {
		option = " --session " + name
	}
	if link.Network == tun.NetworkMemory { // no program runs on that peer
		return self + " ping" + option
	}
	return self + " exec" + option + " -- ping " + link.Agent().String()
}

// isTerminal tells a terminal from what else stdin may be; the null device is a
// character device, too.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// newName makes a name for a session that was given none. A server that is
// started again has another: its state is new, too.
func newName() string { return strings.ToLower(rand.Text()[:6]) }
