package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/mcpserver"
	"github.com/tun-mcp/tun-mcp/watch/page"
)

// webDefault is the page's address if none is given.
const webDefault = "127.0.0.1:0"

// webOptions holds the flags of the live page.
type webOptions struct {
	flag      string // name of the flag: web or watch
	address   string // empty means no page
	tokenFile string
}

func (o *webOptions) flags(cmd *cobra.Command, flag, usage string) {
	o.flag = flag
	f := cmd.Flags()
	f.StringVar(&o.address, flag, "", usage+"; for instance --"+flag+"=127.0.0.1:8078 (default "+webDefault+", a free port); addresses other than loopback need a token file")
	f.Lookup(flag).NoOptDefVal = webDefault
	f.StringVar(&o.tokenFile, flag+"-token-file", "", "with "+flag+": the page asks for the token in this file, which only its owner may read (default: a new token, part of the printed address)")
}

// check refuses flags that exclude each other.
func (o *webOptions) check() error {
	if o.tokenFile != "" && o.address == "" {
		return usage(fmt.Errorf("--%s-token-file: only the page asks for a token; add --%s", o.flag, o.flag))
	}
	return nil
}

// listen listens at the page's address.
func (o *webOptions) listen(ctx context.Context, session string) (*page.Server, error) {
	config := page.Config{Address: o.address, Session: session}
	if o.tokenFile != "" {
		token, err := mcpserver.ReadToken(o.tokenFile)
		if err != nil {
			return nil, usage(fmt.Errorf("--%s-token-file: %w", o.flag, err))
		}
		config.Token = token
	} else {
		config.Shown = rand.Text()
		token, err := mcpserver.NewToken(config.Shown)
		if err != nil {
			return nil, err
		}
		config.Token = token
	}
	server, err := page.Listen(ctx, config)
	if err == nil {
		return server, nil
	}
	err = fmt.Errorf("--%s %w", o.flag, err)
	if _, taken := errors.AsType[*net.OpError](err); taken {
		return nil, err
	}
	return nil, usage(err)
}

// announce formats the page's address.
func (o *webOptions) announce(server *page.Server) string {
	text := "watch at " + server.URL()
	if o.tokenFile != "" {
		text += " (TOKEN is in " + o.tokenFile + ")"
	}
	return text
}

// serveWeb serves the page until the command ends.
func (o *watchOptions) serveWeb(cmd *cobra.Command) error {
	if o.session != "" { // otherwise the page offers all
		if _, err := control.Find(o.session); err != nil {
			return err
		}
	} else if len(control.Running()) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "no session is running yet; the page will show the next one")
	}
	server, err := o.web.listen(cmd.Context(), o.session)
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Fprintln(cmd.OutOrStdout(), o.web.announce(server))
	if !server.Loopback() {
		slog.Warn("other machines can reach this page; token and packets cross the network unencrypted unless a proxy in front adds TLS")
	}
	fmt.Fprintln(os.Stderr, "Ctrl-C ends it")
	return server.Serve(cmd.Context())
}
