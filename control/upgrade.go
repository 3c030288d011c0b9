package control

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"time"
)

// lineTimeout is how long a command may take to read the answer to its upgrade,
// and to send its DialRequest.
const lineTimeout = 5 * time.Second

// upgrade answers a request for protocol with 101 and takes its connection over from
// the HTTP server. The deadline of the connection is lineTimeout from now. If ok is
// false, there is no connection, and the request has been answered with an error.
func upgrade(w http.ResponseWriter, r *http.Request, protocol string) (conn net.Conn, in *bufio.Reader, ok bool) {
	if r.Header.Get("Upgrade") != protocol {
		w.Header().Set("Upgrade", protocol)
		http.Error(w, r.URL.Path[1:]+": the request needs the header Upgrade: "+protocol, http.StatusUpgradeRequired)
		return nil, nil, false
	}
	conn, both, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return nil, nil, false
	}
	_ = conn.SetDeadline(time.Now().Add(lineTimeout)) // fails only with the write
	fmt.Fprintf(both, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", protocol)
	if both.Flush() != nil {
		conn.Close()
		return nil, nil, false
	}
	return conn, both.Reader, true
}
