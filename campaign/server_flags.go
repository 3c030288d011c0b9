package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/campaign/queue"
	"github.com/tun-mcp/tun-mcp/campaign/record"
)

// serverFlags are the flags that say where the campaign's NATS server is and who
// may reach it.
type serverFlags struct {
	listen, tokenFile, cert, key string
	insecure                     bool
	elsewhere                    elsewhereFlags
	replicas                     int
}

func (o *serverFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "", "HOST:PORT where workers can join; needs --token-file (default: only this process)")
	f.StringVar(&o.tokenFile, "token-file", "", "file with the token that workers need; make one with: openssl rand -hex 32")
	f.StringVar(&o.cert, "tls-cert", "", "file with the certificate for --listen; needed beyond loopback")
	f.StringVar(&o.key, "tls-key", "", "file with the key of --tls-cert")
	f.BoolVar(&o.insecure, "insecure", false, "listen beyond loopback without TLS; anyone who can read or change the traffic can run commands on every worker")
	o.elsewhere.register(cmd, "nats", "use the NATS server or cluster at this URL, which needs JetStream, not the embedded one")
	f.IntVar(&o.replicas, "replicas", 1, "with --nats: number of copies that the cluster keeps")
}

// elsewhereFlags are the flags that say how to reach a server.
type elsewhereFlags struct {
	url, credentials, ca string
}

func (o *elsewhereFlags) register(cmd *cobra.Command, url, usage string) {
	f := cmd.Flags()
	f.StringVar(&o.url, url, "", usage)
	f.StringVar(&o.credentials, "creds", "", "NATS credentials file for that server")
	f.StringVar(&o.ca, "tls-ca", "", "file with the CA certificate for that server (default: the system's)")
}

// check returns the token. It returns an error if the flags contradict each other.
func (o *serverFlags) check() (token string, err error) {
	bad := func(format string, args ...any) (string, error) { return "", usageError{fmt.Errorf(format, args...)} }
	switch {
	case o.listen != "" && o.elsewhere.url != "":
		return bad("--listen is for the embedded server and cannot be used with --nats")
	case o.listen != "" && o.tokenFile == "":
		return bad("--listen needs --token-file, because workers run trials and report their results")
	case o.listen == "" && o.elsewhere.url == "" && o.tokenFile != "":
		return bad("--token-file needs --listen or --nats")
	case (o.cert == "") != (o.key == ""):
		return bad("--tls-cert and --tls-key need each other: give both")
	case o.cert != "" && o.listen == "":
		return bad("--tls-cert needs --listen")
	case o.replicas < 1 || o.replicas > 5:
		return bad("--replicas %d: accepted are 1 to 5", o.replicas)
	}
	if o.listen != "" {
		host, _, err := net.SplitHostPort(o.listen)
		if err != nil {
			return bad("--listen %s: accepted is HOST:PORT, such as 127.0.0.1:4222", o.listen)
		}
		ip := net.ParseIP(host)
		if local := host == "localhost" || ip != nil && ip.IsLoopback(); !local && o.cert == "" && !o.insecure {
			return bad("--listen %s: beyond loopback, --tls-cert and --tls-key are needed, because anyone who reads the token can run commands on every worker", o.listen)
		}
	}
	if o.tokenFile != "" {
		if token, err = queue.ReadToken(o.tokenFile); err != nil {
			return "", usageError{err}
		}
	}
	return token, nil
}

// open starts the embedded server or connects to another one, and creates the
// campaign there. works reports whether an embedded server can still store
// messages; it is nil for another server. closed closes what open opened. The end of
// stop ends the wait for another start's claim.
func (o *serverFlags) open(ctx, stop context.Context, name string, folder record.Folder, token string, lease time.Duration, log func(string, ...any)) (
	campaign *queue.Campaign, works func() bool, closed func(), err error) {
	making, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if o.elsewhere.url != "" {
		nc, err := queue.Dial(queue.Elsewhere{URL: o.elsewhere.url, Token: token, Credentials: o.elsewhere.credentials, CA: o.elsewhere.ca, Name: workerName()})
		if err != nil {
			return nil, nil, nil, err
		}
		campaign, err := queue.Create(making, nc, name, o.replicas)
		if err == nil {
			err = campaign.Claim(ctx, stop, workerName()+fmt.Sprintf(" since %s", time.Now().UTC().Format(time.DateTime)), lease)
		}
		if err != nil {
			nc.Close()
			return nil, nil, nil, err
		}
		return campaign, nil, campaign.Leave, nil
	}
	server, err := queue.Embed(queue.Embedded{Folder: folder.Server(), Listen: o.listen, Token: token, Cert: o.cert, Key: o.key, Log: folder.Log()})
	if err != nil {
		return nil, nil, nil, err
	}
	nc, err := server.Connect()
	if err == nil {
		campaign, err = queue.Create(making, nc, name, 1)
	}
	if err != nil {
		server.Close()
		return nil, nil, nil, errors.Join(err)
	}
	if o.listen != "" {
		log("workers may join: campaign work --join %s --token-file FILE", server.URL())
	}
	return campaign, server.Works, func() { campaign.Leave(); server.Close() }, nil
}
