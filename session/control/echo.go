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

// UpgradePing is the protocol of POST /ping: after 101 Switching Protocols an
// EchoRequest a line goes to the session and an EchoAnswer a line comes back,
// both as JSON, until one side hangs up. The query ip=6 pings the agent's IPv6
// address, otherwise it is the IPv4 one.
const UpgradePing = "tun-mcp-ping"

// EchoRequest asks for one echo request to the agent.
type EchoRequest struct {
	Seq uint16 `json:"seq"`
	Hex string `json:"hex"` // the payload
}

// EchoAnswer is one echo reply or ICMP error, a request that could not be sent
// (Unsent), or the last line (End).
type EchoAnswer struct {
	Seq      uint16        `json:"seq"`
	ID       uint16        `json:"id,omitempty"`
	From     string        `json:"from,omitempty"`        // who sent it
	Type     uint8         `json:"type"`                  // of ICMP, or of ICMPv6 if From is an IPv6 address
	Code     uint8         `json:"code"`                  //
	TTL      uint8         `json:"ttl,omitempty"`         // as it arrived
	Hex      string        `json:"hex,omitempty"`         // what was echoed, or what an error quotes
	Sent     time.Duration `json:"sent_ns,omitempty"`     // when the latest request of this Seq went to the link; 0: never
	Received time.Duration `json:"received_ns,omitempty"` // when this came; both since the session started
	Unsent   string        `json:"unsent,omitempty"`      // why the request was not sent
	End      string        `json:"end,omitempty"`         // why there is nothing after this line
}

// An echoServer serves one POST /ping.
type echoServer struct {
	echo  tun.Echo
	start time.Time // what times are counted from

	writing sync.Mutex // held while a line is written
	out     *json.Encoder

	mu   sync.Mutex // guards sent; a caller that does not read must not keep requests from being sent
	sent map[uint16]time.Duration
}

// postPing lets a command ping from the peer without being there.
func (c *Server) postPing(w http.ResponseWriter, r *http.Request) {
	peer, ok := c.session.Device().(interface {
		OpenEcho(is6 bool) (tun.Echo, error)
	})
	if !ok {
		http.Error(w, "ping: the peer of this link has no echo socket to offer", http.StatusConflict)
		return
	}
	if r.Header.Get("Upgrade") != UpgradePing {
		w.Header().Set("Upgrade", UpgradePing)
		http.Error(w, "ping: this needs the header Upgrade: "+UpgradePing, http.StatusUpgradeRequired)
		return
	}
	c.pings.Add(1) // once hijacked, a connection is out of the server's sight
	defer c.pings.Done()
	echo, err := peer.OpenEcho(r.URL.Query().Get("ip") == "6")
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	defer echo.Close()
	conn, both, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	fmt.Fprintf(both, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", UpgradePing)
	if both.Flush() != nil || conn.SetDeadline(time.Time{}) != nil {
		return
	}
	s := &echoServer{echo: echo, start: c.session.Started(), out: json.NewEncoder(conn), sent: make(map[uint16]time.Duration)}
	if end := s.serve(c, both.Reader); end != "" {
		_ = conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)) // also for a line that is stuck
		s.write(EchoAnswer{End: end})
	}
}

// serve runs until the caller hangs up, or there is a reason to end.
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

// send sends what is asked for until the caller hangs up.
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

// receive passes on what comes back, until the echo socket closes.
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
	_ = s.out.Encode(a) // a caller that has gone shows at the other end of the line
}
