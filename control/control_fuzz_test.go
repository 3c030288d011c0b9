package control

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/session"
)

// FuzzControl checks that the server answers any request, and any data on an
// upgraded connection, as the endpoint defines, that it does only what was asked,
// and that the session continues unless it was asked to end.
func FuzzControl(f *testing.F) {
	frames := append([]byte(`{"network":"tcp","address":"10.77.0.2:80","ttl":3,"timeout_ms":5000}`+"\n"),
		0, 0, 0, 2, frameData, 'h', 'i', 0, 0, 0, 0, frameEnd)
	for which := range byte(len(endpoints)) {
		f.Add(which, "ip=6", []byte(`{"hex": "4500 0014 0000 0000 4001 0000 0a4d0002 0a4d0001", "seq": 1}`+"\n"))
		f.Add(which, "", frames)
		f.Add(which, "", []byte(`{"why": "the trial is over"}`))
		f.Add(which, "since=1&number=1", []byte{0x45})
		f.Add(which, "since=-1&number=x", []byte{0x45})
	}
	f.Fuzz(askControl)
}

// The request is longer than the scanner's buffer, or than the body that the server
// reads.
func TestControlOfTooMuch(t *testing.T) {
	for _, which := range []byte{0, 1, 2} {
		askControl(t, which, "", bytes.Repeat([]byte("{"), maxRequest+1))
	}
}

// askControl sends a request to a new session and checks the answer.
func askControl(t *testing.T, which byte, query string, body []byte) {
	peer := &fakePeer{closed: make(chan struct{})}
	s := session.New(peer, session.Config{Queue: 2})
	defer s.Close()
	c := Serve(s, idle{make(chan struct{})}, func() session.Status { return s.Fill(session.Status{}) })
	defer c.Close()

	at := endpoints[int(which)%len(endpoints)]
	r := &http.Request{Method: at.method, URL: &url.URL{Path: at.path, RawQuery: query}, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}
	w := &taker{ResponseRecorder: httptest.NewRecorder(), caller: script{in: bytes.NewReader(body)}}
	switch at.path {
	case "/ping":
		r.Header.Set("Upgrade", UpgradePing)
	case "/dial":
		r.Header.Set("Upgrade", UpgradeDial)
	case "/events", "/end": // with GET, these last as long as the session
		w.flushed = func() {
			if _, err := s.Inject(append([]byte("\n"), body...)); err != nil && len(body) < packet.MaxLen {
				t.Error(err)
			}
			s.Close()
		}
	}
	c.server.Handler.ServeHTTP(w, r)
	at.check(t, s, peer, w, body)
	if counters := s.Counters(); counters.Received != counters.Delivered+counters.Queued+counters.Dropped {
		t.Errorf("%+v", counters)
	}
}

// endpoints are the server's endpoints, each with a check of its answer.
var endpoints = []struct {
	method, path string
	check        func(t *testing.T, s *session.Session, peer *fakePeer, w *taker, body []byte)
}{
	{"POST", "/inject", checkInject},
	{"POST", "/ping", checkPing},
	{"POST", "/dial", checkDial},
	{"GET", "/events", checkEvents},
	{"POST", "/end", checkEnd},
	{"GET", "/end", func(t *testing.T, _ *session.Session, _ *fakePeer, w *taker, _ []byte) { decoded[EndReply](t, w.Body) }},
	{"GET", "/status", func(t *testing.T, _ *session.Session, _ *fakePeer, w *taker, _ []byte) {
		decoded[session.Status](t, w.Body)
	}},
	{"GET", "/packet", func(t *testing.T, s *session.Session, _ *fakePeer, w *taker, _ []byte) {
		if text := w.Body.String(); w.Code < 400 || w.Code >= 500 || strings.ContainsFunc(strings.TrimSuffix(text, "\n"), func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Errorf("a session without packets answers %d %q", w.Code, text)
		}
	}},
}

func checkInject(t *testing.T, s *session.Session, _ *fakePeer, w *taker, body []byte) {
	if w.Code != http.StatusOK {
		text := strings.TrimSuffix(w.Body.String(), "\n")
		if w.Code >= 500 || s.Counters().Received != 0 || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Errorf("%d %q, %+v", w.Code, text, s.Counters())
		}
		return
	}
	var request InjectRequest
	err := json.NewDecoder(bytes.NewReader(body)).Decode(&request)
	want, err2 := packet.ParseHex(request.Hex)
	p, err3 := s.Packet(decoded[InjectReply](t, w.Body).Number)
	if err := errors.Join(err, err2, err3); err != nil || !bytes.Equal(p.Data, want) || !p.Injected {
		t.Errorf("%s was injected as %+v, %v", body, p, err)
	}
}

func checkEnd(t *testing.T, s *session.Session, _ *fakePeer, w *taker, body []byte) {
	ended, ok := errors.AsType[*session.EndedError](s.Err())
	if w.Code != http.StatusOK {
		if text := strings.TrimSuffix(w.Body.String(), "\n"); w.Code >= 500 || s.Err() != nil || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Errorf("%d %q, %v", w.Code, text, s.Err())
		}
		return
	}
	var request EndRequest
	err := json.NewDecoder(bytes.NewReader(body)).Decode(&request)
	if answer := decoded[EndReply](t, w.Body); err != nil || !ok || ended.Why != request.Why || answer.End != request.Why || strings.ContainsFunc(ended.Why, func(c rune) bool { return !unicode.IsPrint(c) }) {
		t.Errorf("%s ended the link: %+v, %v, %v", body, answer, s.Err(), err)
	}
}

func checkEvents(t *testing.T, _ *session.Session, _ *fakePeer, w *taker, body []byte) {
	if w.Code != http.StatusOK {
		if text := strings.TrimSuffix(w.Body.String(), "\n"); w.Code != http.StatusBadRequest || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Errorf("%d %q", w.Code, text)
		}
		return
	}
	lines := strings.Split(w.Body.String(), "\n")
	if last := lines[len(lines)-1]; last != "" {
		t.Errorf("the last line is %q", last)
	}
	packets := 0
	for i, line := range lines[:len(lines)-1] {
		var e session.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || (e.Event == session.EventEnd) != (i == len(lines)-2) {
			t.Errorf("line %d of %d: %v %s", i+1, len(lines)-1, err, line)
		}
		if e.Event == session.EventPacket {
			packets++
			if e.Hex != hex.EncodeToString(append([]byte("\n"), body...)) || e.Summary == "" || strings.ContainsAny(e.Summary, "\n\x1b") {
				t.Errorf("%x is %s", body, line)
			}
		}
	}
	if want := min(1, max(0, packet.MaxLen-len(body))); packets != want {
		t.Errorf("%d packets, want %d", packets, want)
	}
}

// decoded decodes an answer that must be exactly one JSON value.
func decoded[T any](t *testing.T, answer io.Reader) (value T) {
	t.Helper()
	d := json.NewDecoder(answer)
	if err := d.Decode(&value); err != nil {
		t.Errorf("the answer is not a %T: %v", value, err)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Errorf("the answer has trailing data: %v", err)
	}
	return value
}

// taker records an answer. It lets the handler take over the connection.
type taker struct {
	*httptest.ResponseRecorder
	caller  script
	flushed func() // called once, when the answer begins
}

func (w *taker) Flush() {
	w.ResponseRecorder.Flush()
	if f := w.flushed; f != nil {
		w.flushed = nil
		f()
	}
}

func (w *taker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return &w.caller, bufio.NewReadWriter(bufio.NewReader(&w.caller), bufio.NewWriter(&w.caller)), nil
}

// script is a connection whose caller has sent everything and hung up.
type script struct {
	in  io.Reader
	out bytes.Buffer
}

func (s *script) Read(b []byte) (int, error)       { return s.in.Read(b) }
func (s *script) Write(b []byte) (int, error)      { return s.out.Write(b) }
func (s *script) Close() error                     { return nil }
func (s *script) LocalAddr() net.Addr              { return textAddr{"unix", "here"} }
func (s *script) RemoteAddr() net.Addr             { return textAddr{"unix", "there"} }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// idle is a listener without connections.
type idle struct{ closed chan struct{} }

func (l idle) Accept() (net.Conn, error) { <-l.closed; return nil, net.ErrClosed }
func (l idle) Close() error              { close(l.closed); return nil }
func (l idle) Addr() net.Addr            { return textAddr{"unix", "idle"} }
