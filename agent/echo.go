package agent

import (
	"io"
	"net"

	"github.com/tun-mcp/tun-mcp/tun/netstack"
)

// serveEcho runs the echo service (RFC 862) until the stack ends.
func serveEcho(stack *netstack.Stack) error {
	datagrams, err := stack.ListenPacket("udp", ":7")
	if err != nil {
		return err
	}
	connections, err := stack.Listen("tcp", ":7")
	if err != nil {
		return err
	}
	go serveDatagrams(datagrams, func(data []byte, from *net.UDPAddr) []byte {
		if from.Port == 7 {
			return nil // two echo services would answer each other for ever
		}
		return data
	})
	go serveConnections(connections, func(c net.Conn) { _, _ = io.Copy(c, c) })
	return nil
}

// serveDatagrams answers each datagram with the result of answer, unless that is
// nil, until the socket is closed. answer may return data itself.
func serveDatagrams(socket net.PacketConn, answer func(data []byte, from *net.UDPAddr) []byte) {
	buffer := make([]byte, longestPacket)
	for {
		n, from, err := socket.ReadFrom(buffer)
		if err != nil {
			return
		}
		addr, ok := from.(*net.UDPAddr)
		if !ok {
			continue
		}
		if data := answer(buffer[:n], addr); data != nil {
			_, _ = socket.WriteTo(data, from) // UDP may lose it, so ignore the error
		}
	}
}

// serveConnections serves each connection on its own goroutine until the listener
// is closed.
func serveConnections(listener net.Listener, serve func(net.Conn)) {
	listener = limited(listener)
	for {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			serve(c)
		}()
	}
}
