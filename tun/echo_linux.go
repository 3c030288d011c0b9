package tun

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// openKernelEcho opens a ping socket of the kernel that is the peer: it takes
// nothing but replies to its own requests, and only those whose checksum is
// right.
func openKernelEcho(d dialer, to netip.Addr) (Echo, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	network := "icmp4"
	if to.Is6() {
		network = "icmp6"
	}
	conn, err := d.dial(ctx, network, netip.AddrPortFrom(to, 0), 0)
	if err != nil {
		return nil, fmt.Errorf("open an echo socket of the peer's kernel: %w; it has to allow ping sockets (sysctl net.ipv4.ping_group_range), or use --network memory", err)
	}
	e := &kernelEcho{UDPConn: conn.(*net.UDPConn), from: to, is6: to.Is6()}
	if err := e.receiveTTL(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("open an echo socket of the peer's kernel: %w", err)
	}
	return e, nil
}

// kernelEcho is a ping socket. To package net it looks like one of UDP.
type kernelEcho struct {
	*net.UDPConn
	from netip.Addr
	is6  bool
}

// receiveTTL asks the kernel to say with what TTL each reply came.
func (e *kernelEcho) receiveTTL() error {
	raw, err := e.SyscallConn()
	if err != nil {
		return err
	}
	level, option := unix.IPPROTO_IP, unix.IP_RECVTTL
	if e.is6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT
	}
	var fault error
	if err := raw.Control(func(fd uintptr) { fault = unix.SetsockoptInt(int(fd), level, option, 1) }); err != nil {
		return err
	}
	return fault
}

// echoHeader is the length of ICMP's and ICMPv6's echo header, in bytes.
const echoHeader = 8

// Send is Echo's. The kernel puts in the identifier and the checksum.
func (e *kernelEcho) Send(payload []byte, seq uint16) error {
	b := make([]byte, echoHeader, echoHeader+len(payload))
	if b[0] = 8; e.is6 {
		b[0] = 128
	}
	binary.BigEndian.PutUint16(b[6:], seq)
	_, err := e.Write(append(b, payload...))
	return err
}

// Receive is Echo's.
func (e *kernelEcho) Receive(ctx context.Context) (EchoMessage, error) {
	stop := context.AfterFunc(ctx, func() { _ = e.SetReadDeadline(time.Unix(1, 0)) }) // long ago: ends the wait
	defer stop()
	b, control := make([]byte, MaxMTU), make([]byte, 128)
	for {
		n, m, _, _, err := e.ReadMsgUDPAddrPort(b, control)
		switch {
		case ctx.Err() != nil:
			return EchoMessage{}, ctx.Err()
		case err != nil:
			return EchoMessage{}, err
		case n < echoHeader:
			continue
		}
		return EchoMessage{
			From: e.from, Type: b[0], Code: b[1], TTL: ttlOf(control[:m]),
			ID: binary.BigEndian.Uint16(b[4:]), Seq: binary.BigEndian.Uint16(b[6:]),
			Data: append([]byte(nil), b[echoHeader:n]...), Received: time.Now(),
		}, nil
	}
}

// ttlOf finds the TTL or hop limit among a message's control data, 0 if it is
// not there.
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
