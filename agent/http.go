package agent

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/tun-mcp/tun-mcp/tun/netstack"
)

// MaxBytes is the longest download from /bytes, in bytes.
const MaxBytes = 100_000_000

// Bytes returns the n bytes that the built-in agent serves at /bytes?n=N. They are
// the same in every run and never repeat, so a lost or misplaced segment changes
// the hash of a download.
func Bytes(n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte([]byte("tun-mcp: bytes for a download..."))), n)
}

// serveHTTP serves a small site on port 80 until the stack ends.
func serveHTTP(stack *netstack.Stack, z zone) error {
	listener, err := stack.Listen("tcp", ":80")
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           site(z),
		ReadHeaderTimeout: time.Minute,
		IdleTimeout:       time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // bad requests are not worth a log line
	}
	go func() { _ = server.Serve(limited(listener)) }() // ends with the stack
	return nil
}

func site(z zone) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "Hello from %s, an agent on a wire.\nEvery packet of this answer went through write_packet.\n\n"+
			"/bytes?n=N   N bytes, up to %d, the same every time\n/sha256?n=N  their SHA-256\n", z.addr4, MaxBytes)
	})
	mux.HandleFunc("GET /bytes", func(w http.ResponseWriter, r *http.Request) {
		n, ok := wanted(w, r)
		if !ok {
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		_, _ = io.Copy(w, Bytes(n)) // fails only if the client has left
	})
	mux.HandleFunc("GET /sha256", func(w http.ResponseWriter, r *http.Request) {
		n, ok := wanted(w, r)
		if !ok {
			return
		}
		sum := sha256.New()
		_, _ = io.Copy(sum, Bytes(n)) // cannot fail
		fmt.Fprintf(w, "%x\n", sum.Sum(nil))
	})
	return mux
}

// wanted returns n from the query. If it is missing or wrong, wanted answers the
// request with an error and returns ok false.
func wanted(w http.ResponseWriter, r *http.Request) (n int64, ok bool) {
	n, err := strconv.ParseInt(r.URL.Query().Get("n"), 10, 64)
	if err != nil || n < 0 || n > MaxBytes {
		http.Error(w, fmt.Sprintf("n must be a number of bytes from 0 to %d, for instance %s?n=1000", MaxBytes, r.URL.Path), http.StatusBadRequest)
		return 0, false
	}
	return n, true
}
