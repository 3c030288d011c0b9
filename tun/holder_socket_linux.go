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

// A socketRequest asks a holder for a new socket. A socket always belongs to the network
// namespace in which it was opened, wherever its descriptor goes.
type socketRequest struct {
	ID uint64 // the answer has the same
	socketKind
}

// A socketKind holds the arguments of socket(2).
type socketKind struct{ Domain, Type, Protocol int }

// A socketAnswer answers a socketRequest. If Errno is zero, the socket's descriptor
// comes with it, in non-blocking mode.
type socketAnswer struct {
	ID    uint64
	Errno syscall.Errno
}

// socketKinds are the kinds of socket that a holder opens, by network.
var socketKinds = map[string]socketKind{
	"tcp4": {unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP},
	"tcp6": {unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_TCP},
	"udp4": {unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_UDP},
	"udp6": {unix.AF_INET6, unix.SOCK_DGRAM, unix.IPPROTO_UDP},
	// Ping sockets: the kernel lets them send only echo requests.
	"icmp4": {unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP},
	"icmp6": {unix.AF_INET6, unix.SOCK_DGRAM, unix.IPPROTO_ICMPV6},
}

// allowed reports whether a holder opens sockets of this kind.
func (k socketKind) allowed() bool {
	for _, known := range socketKinds {
		if k == known {
			return true
		}
	}
	return false
}

// farewell is the last message of a server that closes the device. A killed server does
// not send it.
const farewell = "farewell"

// serveSockets opens sockets for the server until the server ends. It reports whether
// the server has closed the device and said farewell.
func serveSockets(server *net.UnixConn) (closed bool) {
	message := make([]byte, maxMessage)
	for {
		n, err := server.Read(message) // the kernel closes any descriptors that came along
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

// parseSocketRequest parses a message strictly. ok is false for anything but a request.
func parseSocketRequest(message []byte) (request socketRequest, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(message))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&request) != nil {
		return request, false
	}
	_, err := decoder.Token()
	return request, err == io.EOF && request.ID != 0 && request.allowed()
}

// answerSocket opens a socket and sends it to the server. If the server has ended, the
// next read shows that.
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

// takeDescriptors returns the descriptors that came with a message, if any.
func takeDescriptors(rights []byte) []int {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil
	}
	var fds []int
	for i := range messages {
		if len(messages[i].Data)%4 != 0 {
			continue // not descriptors; ParseUnixRights would panic
		}
		if got, err := unix.ParseUnixRights(&messages[i]); err == nil {
			fds = slices.Concat(fds, got)
		}
	}
	return fds
}
