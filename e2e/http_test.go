package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tun-mcp/tun-mcp/control"
	"github.com/tun-mcp/tun-mcp/tun/tuntest"
)

// httpServer is a real server process that serves HTTP.
type httpServer struct {
	*client
	url string
}

var urlInLog = regexp.MustCompile(` url=(http://\S+)`)

// startHTTP starts the server on a memory network and waits until it is up.
func startHTTP(t *testing.T, command *exec.Cmd, args ...string) *httpServer {
	t.Helper()
	dir := tuntest.RuntimeDir(t)
	command.Args = append(append(command.Args, "--network", "memory", "--http", "127.0.0.1:0"), args...)
	command.Env = append(append(os.Environ(), "XDG_RUNTIME_DIR="+dir), command.Env...)
	c := &client{t: t, era: modernEra, process: command, runtime: dir}
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill(); command.Wait() })
	url := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			fmt.Fprintln(lockedWriter{&c.mu, &c.stderr}, lines.Text())
			if found := urlInLog.FindStringSubmatch(lines.Text()); found != nil {
				url <- found[1]
			}
		}
		close(url)
	}()
	select {
	case found, ok := <-url:
		if !ok {
			t.Fatalf("the server ended:\n%s", c.errors())
		}
		return &httpServer{c, found}
	case <-time.After(patience):
		t.Fatalf("the server is not up after %v:\n%s", patience, c.errors())
	}
	panic("unreachable")
}

// call returns a POST request with a tool call in the modern era.
func (s *httpServer) call(id int, name, arguments string) *http.Request {
	s.t.Helper()
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`, id, name, arguments)
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for key, value := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"Mcp-Protocol-Version": modernEra, "Mcp-Method": "tools/call", "Mcp-Name": name} {
		r.Header.Set(key, value)
	}
	return r
}

// do sends a request on a new connection.
func do(r *http.Request) (status int, body string, header http.Header, err error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * patience}
	answer, err := client.Do(r)
	if err != nil {
		return 0, "", nil, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(data), answer.Header, err
}

// over calls a tool over HTTP and returns its text.
func (s *httpServer) over(name, arguments string) (string, error) {
	status, body, _, err := do(s.call(1, name, arguments))
	if err != nil {
		return "", err
	}
	if _, event, ok := strings.Cut(body, "event: message\ndata: "); ok { // a slow call
		body = event
	}
	var a answer
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.Result == nil {
		return "", fmt.Errorf("%d %s", status, body)
	}
	text, _ := toolText(s.t, a.Result)
	return text, nil
}

// reading waits until want reads wait for a packet.
func reading(t *testing.T, s *control.Client, want int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		status, err := s.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if status.Readers == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d reads wait, want %d", status.Readers, want)
		}
	}
}

// Idle connections, and requests that never end, keep no client out.
func TestHTTPIdleConnections(t *testing.T) {
	s := startHTTP(t, exec.Command(program))
	address := strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/mcp")
	for i := range 1000 {
		conn, err := net.DialTimeout("tcp", address, patience)
		if errors.Is(err, syscall.EMFILE) {
			tuntest.Unmet(t, fmt.Errorf("this machine lets a process open %d connections", i))
		}
		if err != nil {
			t.Fatalf("connection %d: %v", i+1, err)
		}
		defer conn.Close()
		if i%2 == 1 {
			fmt.Fprint(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\n")
		}
	}
	for range 3 {
		if text, err := s.over("read_packet", `{"timeout_ms": 0}`); err != nil || !strings.HasPrefix(text, "no packet") {
			t.Fatalf("beside 1,000 idle connections: %q, %v", text, err)
		}
	}
}

// The curl command of docs/http.md reads the status, also with a token.
func TestHTTPWithCurl(t *testing.T) {
	t.Parallel()
	tuntest.RequireProgram(t, "curl")
	found := regexp.MustCompile("(?ms)^(curl .*?)\n```$").FindStringSubmatch(readFile(t, "docs/http.md"))
	if found == nil {
		t.Fatal("docs/http.md has no curl command")
	}
	command := exec.Command(program)
	command.Env = []string{"TUN_MCP_TOKEN=0123456789abcdef-curl"}
	for _, c := range []struct {
		server *exec.Cmd
		more   string
	}{{exec.Command(program), ""}, {command, ` -H "Authorization: Bearer $TUN_MCP_TOKEN"`}} {
		s := startHTTP(t, c.server)
		curl := exec.Command("sh", "-c", strings.Replace(found[1], "http://127.0.0.1:8077/mcp", s.url, 1)+c.more)
		curl.Env = append(os.Environ(), command.Env...)
		if out, err := curl.CombinedOutput(); err != nil || !strings.Contains(string(out), `\"network\": \"memory\"`) {
			t.Errorf("%v: %v\n%s", curl.Args, err, out)
		}
	}
}

func TestHTTPVanishedClient(t *testing.T) {
	t.Parallel()
	s := startHTTP(t, exec.Command(program))
	control := s.connect()
	// It opens a session in the older era, begins a read, and leaves.
	r, err := http.NewRequest(http.MethodPost, s.url, strings.NewReader(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	status, body, header, err := do(r)
	if err != nil || status != http.StatusOK {
		t.Fatalf("initialize: %v %d %s", err, status, body)
	}
	conn, err := net.Dial("tcp", r.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_packet","arguments":{"timeout_ms":90000}}}`
	fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nMcp-Session-Id: %s\r\nContent-Length: %d\r\n\r\n%s", r.URL.Host, header.Get("Mcp-Session-Id"), len(call), call)
	reading(t, control, 1)
	conn.Close()
	reading(t, control, 0)
	number := s.inject(control, request(1))
	if text, err := s.over("read_packet", `{"timeout_ms": 30000}`); err != nil || !strings.HasPrefix(text, fmt.Sprintf("#%d 28 bytes", number)) {
		t.Errorf("the next client got %q, %v", text, err)
	}
}

func TestHTTPManyClients(t *testing.T) {
	t.Parallel()
	s := startHTTP(t, exec.Command(program))
	givenOnce(t, s.client, 8, 200, func(arguments string) (string, error) { return s.over("read_packet", arguments) })
}

// A signal ends the server: waiting reads are answered, and nothing is left. It does
// not matter that its stdin has ended long ago.
func TestHTTPEnds(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			s := startHTTP(t, exec.Command(program))
			control := s.connect()
			status, err := control.Status(t.Context())
			if err != nil || status.Endpoint != s.url {
				t.Errorf("the status should name the endpoint %s: %+v, %v", s.url, status, err)
			}
			said := make(chan string, 1)
			go func() {
				text, err := s.over("read_packet", `{"timeout_ms": 90000}`)
				said <- fmt.Sprint(text, err)
			}()
			reading(t, control, 1)
			idle, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/mcp"))
			if err != nil {
				t.Fatal(err)
			}
			defer idle.Close()
			if err := s.process.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if got := <-said; !strings.Contains(got, "this server is ending ("+signal.String()+" signal received)") {
				t.Errorf("the waiting read got %q", got)
			}
			if err := s.process.Wait(); err != nil {
				t.Errorf("exit: %v\n%s", err, s.errors())
			}
			s.nothingLeft()
		})
	}
}
