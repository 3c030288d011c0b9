package cli

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

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/mcpserver"
	"github.com/tun-mcp/tun-mcp/session"
	"github.com/tun-mcp/tun-mcp/tools"
	"github.com/tun-mcp/tun-mcp/tun"
	"github.com/tun-mcp/tun-mcp/watch/page"
	"golang.org/x/term"
)

// serve opens a session and serves it to the MCP client on in and out, or to clients
// over HTTP. It closes the session when the client or ctx ends.
func serve(ctx context.Context, o serveOptions, in, out *os.File) error {
	// If a client closes its end of stdout or stderr, the next write fails and the
	// server ends in order. SIGPIPE would kill it instead.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	assist, allow, err := o.parse()
	if err != nil {
		return usage(err)
	}
	session.Reserve()
	defer logTo(os.Stderr, o.logLevel)() // runs last: the other deferred calls may log
	if err := o.watch.check(); err != nil {
		return err
	}
	endpoint, err := o.http.listen(ctx)
	if err != nil {
		return err
	}
	defer endpoint.Close()
	if endpoint.HTTP == nil { // an HTTP server outlives the shell that started it
		alive, cancel := whileParentLives(ctx)
		defer cancel()
		ctx = alive
	}
	name := o.session
	if name == "" {
		name = newName()
	}
	live, err := o.livePage(ctx, name)
	if err != nil {
		return err
	}
	if live != nil {
		defer live.Close()
	}
	// Claim the name first: a second server of the same name must not open a link.
	listener, err := control.Claim(name)
	if err != nil {
		return err
	}
	defer listener.Close()
	o.link.Cleanup = control.SocketPath(name)
	program, err := o.loadHandler(assist)
	if err != nil {
		return err
	}
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
	}
	recorder, err := o.openRecorder(name)
	if err != nil {
		link.Close()
		return err
	}
	s := session.New(link, session.Config{Name: name, MTU: link.MTU, Queue: o.queue, MaxPPS: o.maxPPS, Allow: allow,
		Record: recorder, Check: assist != tools.AssistNone, Report: logEnd})
	defer s.Close()
	if program != nil {
		if _, err := s.Install(ctx, program); err != nil {
			return err
		}
	}

	status := func() session.Status {
		status := s.Fill(describe(link, name, assist))
		status.Endpoint = endpoint.URL()
		return status
	}
	socket := control.Serve(s, listener, status)
	defer socket.Close()

	following, rest := context.WithCancel(ctx)
	defer rest()
	server, err := mcpserver.New(serverConfig(following, o, s, link, name, assist, status))
	if err != nil {
		return err
	}
	slog.Info("the link is up", "session", name, "network", link.Network, "why", link.Why, "device", link.Name,
		"peer", link.Addr, "agent", link.Agent(), "ping_with", pingWith(link, name), endpoint.attribute())
	if live != nil {
		slog.Info("the page: "+o.watch.announce(live), "loopback", live.Loopback())
		defer servePage(ctx, live)()
	}
	if endpoint.HTTP != nil {
		if !endpoint.Loopback() {
			slog.Warn("other machines can reach this server; token and packets cross the network unencrypted unless a proxy in front adds TLS", "url", endpoint.URL())
		}
		return endpoint.Serve(ctx, server)
	}
	if term.IsTerminal(int(in.Fd())) {
		slog.Info("waiting for an MCP client on stdin; normally the client starts this program (see .mcp.json). To see it work, run: tun-mcp agent --ping 5. Ctrl-C ends it")
	}
	return mcpserver.ServeStdio(ctx, server, in, out)
}

// logEnd logs the end of the link.
func logEnd(err error) {
	if meant, ok := errors.AsType[*session.EndedError](err); ok {
		slog.Info("the link was ended", "why", meant.Why)
		return
	}
	slog.Error("the link has ended; every call returns this error until the server is restarted", "cause", err)
}

// serverConfig returns the configuration of a session's MCP server. The page in a
// conversation follows the session until ctx ends.
func serverConfig(ctx context.Context, o serveOptions, s *session.Session, link *tun.Link, name string, assist tools.Assist, status func() session.Status) mcpserver.Config {
	host := &tools.Host{Session: s, Assist: assist, NoASCII: o.noASCII, Own: own(link), Status: status, Handlers: o.handlers == "on", Limits: o.limits}
	config := mcpserver.Config{Version: version(), Tools: host.All(), Status: status, Called: s.Called}
	if o.called != nil {
		config.Called = func(c session.Call) { s.Called(c); o.called(c) }
	}
	if host.Handlers {
		config.Handler = host.ShowHandler
	}
	if assist != tools.AssistNone { // a model could read what the page reads, which has verdicts on checksums
		config.App = page.NewApp(ctx, name)
	}
	return config
}

// servePage serves the live page. The returned function ends it.
func servePage(ctx context.Context, live *page.Server) (end func()) {
	ctx, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- live.Serve(ctx) }()
	return func() {
		stop()
		if err := <-served; err != nil {
			slog.Error(err.Error())
		}
	}
}

// livePage listens at the page's address. It returns nil if no page was asked for.
func (s *serveOptions) livePage(ctx context.Context, name string) (*page.Server, error) {
	if s.watch.address == "" {
		return nil, nil
	}
	return s.watch.listen(ctx, name)
}

// impair impairs a link. The returned function logs how many packets that affected.
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

// openRecorder opens the recorder for --record. It returns nil without that flag.
func (s *serveOptions) openRecorder(name string) (*session.Recorder, error) {
	if s.record == "" {
		return nil, nil
	}
	return session.OpenRecorder(s.record, name, "tun-mcp "+version(), func(err error) {
		slog.Error(err.Error())
	})
}

// describe returns the part of the status that a session does not know.
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

// goRun matches the path of a program that `go run` started: in a temporary folder
// or in the build cache.
var goRun = regexp.MustCompile(`go-build|[/\\][0-9a-f]{64}-d[/\\]`)

// pingWith returns a command that pings the agent from the user's terminal.
func pingWith(link *tun.Link, name string) string {
	self := "tun-mcp"
	if goRun.MatchString(os.Args[0]) { // started by go run
		self = "go run ."
	}
	option := " --session " + name         // others may start later
	if link.Network == tun.NetworkMemory { // no program runs on that peer
		return self + " ping" + option
	}
	return self + " exec" + option + " -- ping " + link.Agent().String()
}

// newName returns a random session name, for a server started without --session. A
// restarted server gets another name, because its state is new too.
func newName() string { return strings.ToLower(rand.Text()[:6]) }
