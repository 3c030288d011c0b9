package tun

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// A socketRequest asks a holder for a new socket. A socket belongs for ever to
// the network namespace in which it was opened, wherever the descriptor goes.
type socketRequest struct {
	ID uint64 // the answer has the same
	socketKind
}

// A socketKind is what socket(2) wants to know.
type socketKind struct{ Domain, Type, Protocol int }

// A socketAnswer answers a socketRequest. The descriptor comes with it,
// non-blocking, if Errno is zero.
type socketAnswer struct {
	ID    uint64
	Errno syscall.Errno
}

// socketKinds are those that a holder opens, by their networks' names.
var socketKinds = map[string]socketKind{
	"tcp4": {unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP},
	"tcp6": {unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_TCP},
	"udp4": {unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_UDP},
	"udp6": {unix.AF_INET6, unix.SOCK_DGRAM, unix.IPPROTO_UDP},
	// Ping sockets: the kernel lets them send echo requests and nothing else.
	"icmp4": {unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP},
	"icmp6": {unix.AF_INET6, unix.SOCK_DGRAM, unix.IPPROTO_ICMPV6},
}

// allowed tells whether a holder opens such sockets.
func (k socketKind) allowed() bool {
	for _, known := range socketKinds {
		if k == known {
			return true
		}
	}
	return false
}

// farewell is the last message of a server that closes the device. One that is
// killed says none.
const farewell = "farewell"

// serveSockets opens sockets for the server until that is gone, or has closed
// the device and said so.
func serveSockets(server *net.UnixConn) (closed bool) {
	message := make([]byte, maxMessage)
	for {
		n, err := server.Read(message) // descriptors that came along are closed by the kernel
		if err != nil {
			return false
		}
		if string(message[:n]) == farewell {
			return true
		}
		if request, ok := parseSocketRequest(message[:n]); ok {
			answerSocket(server, request)
		}
	}
}

// parseSocketRequest takes a message for a request only if it is nothing else.
func parseSocketRequest(message []byte) (request socketRequest, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(message))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&request) != nil {
		return request, false
	}
	_, err := decoder.Token()
	return request, err == io.EOF && request.ID != 0 && request.allowed()
}

// answerSocket opens a socket and gives it away. If the server is gone in
// between, the next read shows it.
func answerSocket(server *net.UnixConn, request socketRequest) {
	a := socketAnswer{ID: request.ID}
	var rights []byte
	fd, err := unix.Socket(request.Domain, request.Type|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, request.Protocol)
	if err != nil {
		a.Errno, _ = err.(syscall.Errno) // always one
	} else {
		defer unix.Close(fd)
		rights = unix.UnixRights(fd)
	}
	if message, err := json.Marshal(a); err == nil {
		_, _, _ = server.WriteMsgUnix(message, rights, nil)
	}
}

// takeDescriptors returns the descriptors that came with a message: there may
// be none.
func takeDescriptors(rights []byte) []int {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil
	}
	var fds []int
	for i := range messages {
		if len(messages[i].Data)%4 != 0 {
			continue // no descriptors, and more than ParseUnixRights survives
		}
		if got, err := unix.ParseUnixRights(&messages[i]); err == nil {
			fds = slices.Concat(fds, got)
		}
	}
	return fds
}
