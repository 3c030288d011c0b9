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

// MaxBytes is the most that GET /bytes gives, in bytes.
const MaxBytes = 100_000_000

// Bytes returns the n bytes that the built-in agent serves at /bytes?n=…: the
// same in every run, and no stretch of them like another, so that a download
// with a segment lost or out of place has another hash.
func Bytes(n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte([]byte("tun-mcp: bytes for a download..."))), n)
}

// serveHTTP offers a small site on port 80 until the stack ends.
func serveHTTP(stack *netstack.Stack, z zone) error {
	listener, err := stack.Listen("tcp", ":80")
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           site(z),
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // strangers' requests are no news
	}
	go func() { _ = server.Serve(listener) }() // ends with the stack
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
		_, _ = io.Copy(w, Bytes(n)) // a client that has gone wants no more
	})
	mux.HandleFunc("GET /sha256", func(w http.ResponseWriter, r *http.Request) {
		n, ok := wanted(w, r)
		if !ok {
			return
		}
		sum := sha256.New()
		_, _ = io.Copy(sum, Bytes(n)) // neither end can fail
		fmt.Fprintf(w, "%x\n", sum.Sum(nil))
	})
	return mux
}

// wanted reads the query's n. If it is none, the client has been told so.
func wanted(w http.ResponseWriter, r *http.Request) (n int64, ok bool) {
	n, err := strconv.ParseInt(r.URL.Query().Get("n"), 10, 64)
	if err != nil || n < 0 || n > MaxBytes {
		http.Error(w, fmt.Sprintf("n must be a number of bytes, 0 to %d: %s?n=1000", MaxBytes, r.URL.Path), http.StatusBadRequest)
		return 0, false
	}
	return n, true
}
