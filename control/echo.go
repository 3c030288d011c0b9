package control

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun"
)

// UpgradePing is the protocol of POST /ping. After 101 Switching Protocols the
// client sends EchoRequests and the session sends EchoAnswers, each a line of
// JSON, until one side closes the connection. The query ip=6 pings the agent's
// IPv6 address; the default is its IPv4 address.
const UpgradePing = "tun-mcp-ping"

// EchoRequest asks the session to send one echo request to the agent.
type EchoRequest struct {
	Seq uint16 `json:"seq"`
	Hex string `json:"hex"` // the payload
}

// EchoAnswer is one echo reply or ICMP error, a request that could not be sent
// (Unsent), or the last line (End).
type EchoAnswer struct {
	Seq      uint16        `json:"seq"`
	ID       uint16        `json:"id,omitempty"`
	From     string        `json:"from,omitempty"`        // the sender
	Type     uint8         `json:"type"`                  // ICMP, or ICMPv6 if From is an IPv6 address
	Code     uint8         `json:"code"`                  //
	TTL      uint8         `json:"ttl,omitempty"`         // as received
	Hex      string        `json:"hex,omitempty"`         // the echoed payload, or the part an error quotes
	Sent     time.Duration `json:"sent_ns,omitempty"`     // when the latest request with this Seq was sent; 0 means never
	Received time.Duration `json:"received_ns,omitempty"` // when this arrived; both count from the session's start
	Unsent   string        `json:"unsent,omitempty"`      // why the request was not sent
	End      string        `json:"end,omitempty"`         // why this is the last line
}

// An echoServer serves one POST /ping.
type echoServer struct {
	echo  tun.Echo
	start time.Time // times are relative to this

	writing sync.Mutex // held while a line is written
	out     *json.Encoder

	mu   sync.Mutex // guards sent; separate from writing, so that a caller that does not read cannot block sending
	sent map[uint16]time.Duration
}

// postPing lets a command outside the peer's network ping from the peer.
func (c *Server) postPing(w http.ResponseWriter, r *http.Request) {
	peer, ok := c.session.Device().(interface {
		OpenEcho(is6 bool) (tun.Echo, error)
	})
	if !ok {
		http.Error(w, "ping: this link cannot send pings from its peer", http.StatusConflict)
		return
	}
	c.upgraded.Add(1)
	defer c.upgraded.Done()
	echo, err := peer.OpenEcho(r.URL.Query().Get("ip") == "6")
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	defer echo.Close()
	conn, in, ok := upgrade(w, r, UpgradePing)
	if !ok {
		return
	}
	defer conn.Close()
	if conn.SetDeadline(time.Time{}) != nil {
		return
	}
	s := &echoServer{echo: echo, start: c.session.Started(), out: json.NewEncoder(conn), sent: make(map[uint16]time.Duration)}
	if end := s.serve(c, in); end != "" {
		_ = conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)) // also unblocks a line being written
		s.write(EchoAnswer{End: end})
	}
}

// serve runs until the caller closes the connection, or returns the reason for
// the end.
func (s *echoServer) serve(c *Server, in *bufio.Reader) (end string) {
	asked := make(chan error, 1)
	go func() { asked <- s.send(in) }() // ends with the connection
	go s.receive()                      // ends with the echo socket
	select {
	case err := <-asked:
		if err != nil {
			end = "ping: " + err.Error()
		}
		return end
	case <-c.session.Done():
	case <-c.closing.Done():
	}
	return c.end()
}

// send sends the requested echo requests until the caller closes the
// connection.
func (s *echoServer) send(in *bufio.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxRequest)
	for lines.Scan() {
		var request EchoRequest
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			return fmt.Errorf("the line is not {\"seq\": 1, \"hex\": \"00…\"}: %w", err)
		}
		payload, err := packet.ParseHex(request.Hex)
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.sent[request.Seq] = time.Since(s.start)
		s.mu.Unlock()
		if err := s.echo.Send(payload, request.Seq); err != nil {
			s.write(EchoAnswer{Seq: request.Seq, Unsent: err.Error()})
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("the line has more than %d bytes", maxRequest)
	}
	return nil
}

// receive forwards replies and errors until the echo socket closes.
func (s *echoServer) receive() {
	for {
		m, err := s.echo.Receive()
		if err != nil {
			return
		}
		a := EchoAnswer{Seq: m.Seq, ID: m.ID, From: m.From.String(), Type: m.Type, Code: m.Code, TTL: m.TTL,
			Hex: hex.EncodeToString(m.Data), Received: m.Received.Sub(s.start)}
		s.mu.Lock()
		a.Sent = s.sent[m.Seq]
		s.mu.Unlock()
		s.write(a)
	}
}

func (s *echoServer) write(a EchoAnswer) {
	s.writing.Lock()
	defer s.writing.Unlock()
	_ = s.out.Encode(a) // if the caller is gone, send notices it
}
