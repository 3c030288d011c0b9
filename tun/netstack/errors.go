package netstack

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// kernelErrors maps gVisor's errors to errors of the kernel and of package net. gonet
// returns gVisor's errors as text, so the text is the key.
var kernelErrors = func() map[string]error {
	m := make(map[string]error)
	for says, means := range map[tcpip.Error]error{
		&tcpip.ErrConnectionRefused{}:    syscall.ECONNREFUSED,
		&tcpip.ErrConnectionReset{}:      syscall.ECONNRESET,
		&tcpip.ErrConnectionAborted{}:    syscall.ECONNABORTED,
		&tcpip.ErrTimeout{}:              syscall.ETIMEDOUT,
		&tcpip.ErrNetworkUnreachable{}:   syscall.ENETUNREACH,
		&tcpip.ErrHostUnreachable{}:      syscall.EHOSTUNREACH,
		&tcpip.ErrPortInUse{}:            syscall.EADDRINUSE,
		&tcpip.ErrBadLocalAddress{}:      syscall.EADDRNOTAVAIL,
		&tcpip.ErrMessageTooLong{}:       syscall.EMSGSIZE,
		&tcpip.ErrNoBufferSpace{}:        syscall.ENOBUFS,
		&tcpip.ErrNotConnected{}:         syscall.ENOTCONN,
		&tcpip.ErrDestinationRequired{}:  syscall.EDESTADDRREQ,
		&tcpip.ErrClosedForSend{}:        syscall.EPIPE,
		&tcpip.ErrAborted{}:              net.ErrClosed, // the stack was closed
		&tcpip.ErrInvalidEndpointState{}: net.ErrClosed,
		&tcpip.ErrUnknownNICID{}:         net.ErrClosed,
	} {
		m[says.String()] = means
	}
	return m
}()

// kernelError converts an error from gVisor or gonet to the error that package net would
// return, so that errors.Is works with syscall errors, net.ErrClosed and
// os.ErrDeadlineExceeded.
func kernelError(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	if means := kernelErrors[err.Error()]; means != nil {
		return means
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, context.DeadlineExceeded) {
		return os.ErrDeadlineExceeded
	}
	return err
}

// opError returns the error of a dial or listen as a *net.OpError.
func opError(op, network, address string, err error) error {
	return &net.OpError{Op: op, Net: network, Addr: textAddr{network, address}, Err: kernelError(err)}
}

// A textAddr is a requested address, as the caller wrote it.
type textAddr struct{ network, address string }

func (a textAddr) Network() string { return a.network }
func (a textAddr) String() string  { return a.address }

// sockError returns the error of an open socket as a *net.OpError. If this side has
// closed the socket, the error is always net.ErrClosed.
func sockError(op string, local, remote net.Addr, closed bool, err error) error {
	if err == nil || err == io.EOF && !closed {
		return err
	}
	cause := net.ErrClosed
	if !closed {
		cause = kernelError(err)
	}
	return &net.OpError{Op: op, Net: local.Network(), Source: local, Addr: remote, Err: cause}
}

// plainError converts a gVisor error to an error, and nil to nil.
func plainError(fault tcpip.Error) error {
	if fault == nil {
		return nil
	}
	return errors.New(fault.String())
}
