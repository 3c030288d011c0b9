package traffic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

func (p *Peer) dialTCP(ctx context.Context, _, _ string) (net.Conn, error) {
	return p.Dial(ctx, "tcp4", 80, 0)
}

// Fetch gets the agent's page with Go's HTTP client, and returns nil if it is right.
func (p *Peer) Fetch(ctx context.Context, _ int) error {
	transport := &http.Transport{DisableKeepAlives: true, DialContext: p.dialTCP}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Status.Agent+"/", nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return judgePage(response)
}

// judgePage returns an error if the page is wrong: another status, empty, or shorter
// than its Content-Length or chunks say. A page without either ends with the connection
// and can have any length (RFC 9112 section 8).
func judgePage(response *http.Response) error {
	page, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	switch {
	case err != nil:
		return fmt.Errorf("after %d bytes: %w", len(page), err)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("status %s, want 200", response.Status)
	case len(page) == 0:
		return errors.New("the page is empty")
	}
	return nil
}
