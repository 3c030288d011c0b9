package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/tun-mcp/tun-mcp/mcpserver"
)

// tokenVariable names the environment variable for the token.
const tokenVariable = "TUN_MCP_TOKEN"

// httpOptions are the flags of serve over HTTP.
type httpOptions struct{ address, tokenFile string }

func (o *httpOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.address, "http", "", "serve MCP over HTTP at this address instead of stdio, for instance 127.0.0.1:8077 (port 0 takes a free one); the endpoint is "+mcpserver.EndpointPath+"; addresses other than loopback need a token")
	f.StringVar(&o.tokenFile, "http-token-file", "", "with http: clients must send the token in this file, which only its owner may read (default: the variable "+tokenVariable+", if set)")
}

// listen listens at the address of --http. Its errors name the flag. They count as
// wrong usage, unless listening itself failed.
func (o *httpOptions) listen(ctx context.Context) (endpoint, error) {
	if o.address == "" {
		if o.tokenFile != "" {
			return endpoint{}, usage(errors.New("--http-token-file: only HTTP clients send a token; add --http, for instance --http 127.0.0.1:8077"))
		}
		return endpoint{}, nil
	}
	token, err := o.token()
	if err != nil {
		return endpoint{}, usage(err)
	}
	h, err := mcpserver.ListenHTTP(ctx, o.address, token)
	if err == nil {
		return endpoint{h}, nil
	}
	err = fmt.Errorf("--http %w", err)
	if _, taken := errors.AsType[*net.OpError](err); taken {
		return endpoint{}, err
	}
	return endpoint{}, usage(err)
}

func (o *httpOptions) token() (token mcpserver.Token, err error) {
	text, set := os.LookupEnv(tokenVariable)
	// Child processes do not need the token.
	if err := os.Unsetenv(tokenVariable); err != nil {
		return token, err
	}
	if o.tokenFile != "" {
		if token, err = mcpserver.ReadToken(o.tokenFile); err != nil {
			return token, fmt.Errorf("--http-token-file: %w", err)
		}
	} else if set {
		if token, err = mcpserver.NewToken(text); err != nil {
			return token, fmt.Errorf("%s: %w", tokenVariable, err)
		}
	}
	return token, nil
}

// endpoint is an HTTP endpoint. The zero value means stdio.
type endpoint struct{ *mcpserver.HTTP }

// URL returns the endpoint's URL, or "" for stdio.
func (e endpoint) URL() string {
	if e.HTTP == nil {
		return ""
	}
	return e.HTTP.URL()
}

// Close stops listening.
func (e endpoint) Close() {
	if e.HTTP != nil {
		e.HTTP.Close()
	}
}

// attribute returns the URL as a log attribute.
func (e endpoint) attribute() slog.Attr {
	if e.HTTP == nil {
		return slog.Attr{} // which the log leaves out
	}
	return slog.String("url", e.URL())
}
