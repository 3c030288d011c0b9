package tun

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// openKernelEcho opens a ping socket in the peer's kernel. It receives only replies to
// its own requests, and only with a correct checksum.
func openKernelEcho(d dialer, to netip.Addr) (Echo, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	network := "icmp4"
	if to.Is6() {
		network = "icmp6"
	}
	conn, err := d.dial(ctx, network, netip.AddrPortFrom(to, 0), 0)
	if errors.Is(err, os.ErrPermission) {
		err = fmt.Errorf("%w; allow ping sockets (sysctl net.ipv4.ping_group_range), or use --network memory", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open an echo socket of the peer's kernel: %w", err)
	}
	e := &kernelEcho{UDPConn: conn.(*net.UDPConn), from: to, is6: to.Is6()}
	if e.raw, err = e.SyscallConn(); err == nil {
		err = e.options()
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("open an echo socket of the peer's kernel: %w", err)
	}
	return e, nil
}

// kernelEcho is a ping socket. To package net it looks like a UDP socket.
type kernelEcho struct {
	*net.UDPConn
	raw  syscall.RawConn
	from netip.Addr
	is6  bool
}

// options asks the kernel to report the TTL of each reply and to queue ICMP errors
// about requests.
func (e *kernelEcho) options() error {
	level, ttl, errs := unix.IPPROTO_IP, unix.IP_RECVTTL, unix.IP_RECVERR
	if e.is6 {
		level, ttl, errs = unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, unix.IPV6_RECVERR
	}
	var fault error
	set := func(fd uintptr) {
		if fault = unix.SetsockoptInt(int(fd), level, ttl, 1); fault == nil {
			fault = unix.SetsockoptInt(int(fd), level, errs, 1)
		}
	}
	if err := e.raw.Control(set); err != nil {
		return err
	}
	return fault
}

// echoHeader is the length of an ICMP or ICMPv6 echo header, in bytes.
const echoHeader = 8

// Send implements Echo. The kernel fills in the identifier and the checksum.
func (e *kernelEcho) Send(payload []byte, seq uint16) error {
	b := make([]byte, echoHeader, echoHeader+len(payload))
	if b[0] = 8; e.is6 {
		b[0] = 128
	}
	binary.BigEndian.PutUint16(b[6:], seq)
	b = append(b, payload...)
	if _, err := e.Write(b); err == nil {
		return nil
	}
	// The socket may return the error of an earlier request instead of sending this
	// one. Receive also gets that error, from the error queue.
	_, err := e.Write(b)
	return err
}

// Receive implements Echo.
func (e *kernelEcho) Receive() (m EchoMessage, err error) {
	b, control := make([]byte, MaxMTU), make([]byte, 512)
	closed := e.raw.Read(func(fd uintptr) bool {
		m, err = e.take(int(fd), b, control)
		return err != unix.EAGAIN
	})
	if closed != nil {
		return EchoMessage{}, closed
	}
	return m, err
}

// take reads one message from the socket or its error queue without waiting,
// and returns EAGAIN if there is none.
func (e *kernelEcho) take(fd int, b, control []byte) (EchoMessage, error) {
	for {
		n, c, _, _, err := unix.Recvmsg(fd, b, control, unix.MSG_ERRQUEUE)
		if err == nil {
			if m, ok := e.failed(b[:n], control[:c]); ok {
				return m, nil
			}
			continue
		}
		n, c, _, _, err = unix.Recvmsg(fd, b, control, unix.MSG_DONTWAIT)
		switch {
		case err == unix.EAGAIN || err == unix.EBADF:
			return EchoMessage{}, err
		case err != nil || n < echoHeader:
			continue // an ICMP error; the error queue has it too
		}
		return EchoMessage{
			From: e.from, Type: b[0], Code: b[1], TTL: ttlOf(control[:c]),
			ID: binary.BigEndian.Uint16(b[4:]), Seq: binary.BigEndian.Uint16(b[6:]),
			Data: append([]byte(nil), b[echoHeader:n]...), Received: time.Now(),
		}, nil
	}
}

// failed returns the message for an entry of the error queue, if it is an ICMP error.
// b is the part of the request that the error quotes, starting with the echo header.
func (e *kernelEcho) failed(b, control []byte) (EchoMessage, bool) {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil || len(b) < echoHeader {
		return EchoMessage{}, false
	}
	for _, c := range messages {
		if m, ok := offence(c); ok {
			m.TTL = ttlOf(control)
			m.ID, m.Seq = binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
			m.Data, m.Received = append([]byte(nil), b[echoHeader:]...), time.Now()
			return m, true
		}
	}
	return EchoMessage{}, false
}

// offence parses a struct sock_extended_err (errno, 4 bytes; origin, type, code; 9
// more) and the address after it, a sockaddr_in or sockaddr_in6: the host that sent the
// ICMP error.
func offence(c syscall.SocketControlMessage) (m EchoMessage, ok bool) {
	const at4, at6 = 16 + 4, 16 + 8
	b, level, kind := c.Data, c.Header.Level, c.Header.Type
	switch {
	case level == unix.IPPROTO_IP && kind == unix.IP_RECVERR && len(b) >= at4+4 && b[4] == unix.SO_EE_ORIGIN_ICMP:
		m.From = netip.AddrFrom4([4]byte(b[at4:]))
	case level == unix.IPPROTO_IPV6 && kind == unix.IPV6_RECVERR && len(b) >= at6+16 && b[4] == unix.SO_EE_ORIGIN_ICMP6:
		m.From = netip.AddrFrom16([16]byte(b[at6:]))
	default:
		return m, false
	}
	m.Type, m.Code = b[5], b[6]
	return m, true
}

// ttlOf returns the TTL or hop limit in a message's control data, or 0.
func ttlOf(control []byte) uint8 {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		ttl := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_TTL
		hops := m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_HOPLIMIT
		if (ttl || hops) && len(m.Data) >= 4 {
			return uint8(binary.NativeEndian.Uint32(m.Data))
		}
	}
	return 0
}
