// Package queue keeps a campaign on NATS JetStream: the server, embedded or
// elsewhere; the cells as a work queue with a limit for each agent; the verdicts;
// and the messages between the start and its workers.
package queue

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Embedded configures the server inside this program.
type Embedded struct {
	Folder    string // where JetStream stores everything
	Listen    string // host:port for other machines; "" means only this process
	Token     string // needed with Listen
	Cert, Key string // files, for TLS with Listen; "" means no TLS
	Log       string // file; "" means no log
}

// maxPayload is the largest message, in bytes. The largest ones are verdicts, each
// with a compressed report.
const maxPayload = 8 << 20

// Server is the embedded server.
type Server struct {
	inner *server.Server
	token string
}

// Embed starts the server and waits until it accepts connections.
func Embed(e Embedded) (*Server, error) {
	options := &server.Options{
		ServerName: "tun-mcp-campaign", DontListen: e.Listen == "", JetStream: true, StoreDir: e.Folder,
		JetStreamMaxStore: 1 << 50, // no limit but the disk, which fleet watches
		SyncInterval:      10 * time.Second, MaxPayload: maxPayload, NoSigs: true, DisableJetStreamBanner: true,
		PingInterval: 5 * time.Second, MaxPingsOut: 3, WriteDeadline: 10 * time.Second, Authorization: e.Token, LogFile: e.Log, Logtime: true,
	}
	if e.Listen != "" {
		host, port, err := net.SplitHostPort(e.Listen)
		if err != nil {
			return nil, fmt.Errorf("--listen %s: accepted is HOST:PORT: %w", e.Listen, err)
		}
		number, err := net.LookupPort("tcp", port)
		if err != nil {
			return nil, fmt.Errorf("--listen %s: %w", e.Listen, err)
		}
		if options.Host, options.Port = host, number; number == 0 {
			options.Port = server.RANDOM_PORT
		}
		if e.Cert != "" {
			pair, err := tls.LoadX509KeyPair(e.Cert, e.Key)
			if err != nil {
				return nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
			}
			options.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
			options.TLSTimeout = 10
		}
	}
	inner, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded NATS server: %w", err)
	}
	if e.Log != "" {
		inner.ConfigureLogger()
	}
	inner.Start()
	if !inner.ReadyForConnections(20 * time.Second) {
		inner.Shutdown()
		return nil, fmt.Errorf("the embedded NATS server did not start within 20 s; its log is %s", e.Log)
	}
	if !inner.JetStreamEnabled() {
		inner.Shutdown()
		return nil, fmt.Errorf("the embedded NATS server could not open %s; its log is %s", e.Folder, e.Log)
	}
	return &Server{inner: inner, token: e.Token}, nil
}

// URL returns the URL that workers on other machines join.
func (s *Server) URL() string { return s.inner.ClientURL() }

// Works reports whether the server can still store messages. After the disk was
// full it cannot.
func (s *Server) Works() bool { return s.inner.JetStreamEnabled() }

// Connect connects this process to the server, without a socket.
func (s *Server) Connect() (*nats.Conn, error) {
	return nats.Connect("", nats.InProcessServer(s.inner), nats.Token(s.token), nats.Name("start"))
}

// Close stops the server and waits until its files are closed.
func (s *Server) Close() {
	s.inner.Shutdown()
	s.inner.WaitForShutdown()
}

// Elsewhere says how to reach a server outside this program.
type Elsewhere struct {
	URL         string // nats://host:port or tls://host:port
	Token       string // "" means none
	Credentials string // a NATS credentials file; "" means none
	CA          string // a file with a CA certificate; "" means the system's
	Name        string // of this client
}

// Dial connects to a server elsewhere. If the connection is lost later, it
// reconnects for as long as the process runs.
func Dial(e Elsewhere) (*nats.Conn, error) {
	options := []nats.Option{
		nats.Name(e.Name), nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond), nats.ReconnectJitter(500*time.Millisecond, time.Second),
		nats.PingInterval(5 * time.Second), nats.MaxPingsOutstanding(2), nats.Timeout(5 * time.Second), nats.IgnoreAuthErrorAbort(),
	}
	if e.Token != "" {
		options = append(options, nats.Token(e.Token))
	}
	if e.Credentials != "" {
		options = append(options, nats.UserCredentials(e.Credentials))
	}
	if e.CA != "" {
		options = append(options, nats.RootCAs(e.CA))
	}
	nc, err := nats.Connect(e.URL, options...)
	switch {
	case errors.Is(err, nats.ErrAuthorization):
		return nil, fmt.Errorf("connecting to %s: %w; give the same token as start --token-file", e.URL, errRefused)
	case err != nil:
		return nil, fmt.Errorf("connecting to %s: %w", e.URL, err)
	}
	return nc, nil
}

var errRefused = errors.New("the token was refused")

// Refused reports whether err is an error that waiting does not cure.
func Refused(err error) bool {
	return errors.Is(err, errRefused) || errors.Is(err, errSeveral) || errors.As(err, new(*tls.CertificateVerificationError)) || errors.Is(err, nats.ErrSecureConnRequired)
}

// ReadToken reads a token from a file that only its owner may read. A token is one
// word of at least 16 characters.
func ReadToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	if problem := openToOthers(info); problem != "" {
		return "", fmt.Errorf("--token-file %s: %s", path, problem)
	}
	data, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if len(token) < 16 || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("--token-file %s: a token is one word of at least 16 characters; make one with: openssl rand -hex 32", path)
	}
	return token, nil
}

// openToOthers returns the reason why a token file is not secret, or "" if it is.
func openToOthers(info os.FileInfo) string {
	if os.PathSeparator == '/' && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return "other users can read it; chmod 600 it, and make a new token if they may have read this one"
	}
	return ""
}
