package tun

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// A descriptor is a TUN device, held open in this process: a Device.
type descriptor struct {
	file *os.File // its name is the device's
	up   string   // the command that sets the link up

	once  sync.Once
	cause atomic.Pointer[ending] // why it ended by itself; nil: it did not
}

// newDescriptor takes fd over, an open TUN device that no child process
// inherits.
func newDescriptor(fd int, name, up string) (*descriptor, error) {
	// Only a non-blocking descriptor is polled, and only of a polled one does
	// Close end a Read that waits.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("make the device %s non-blocking: %w", name, err)
	}
	return &descriptor{file: os.NewFile(uintptr(fd), name), up: up}, nil
}

func (d *descriptor) Read(p []byte) (int, error) {
	n, err := d.file.Read(p)
	if err != nil {
		err = d.explain("read from", err)
	}
	return n, err
}

func (d *descriptor) Write(p []byte) (int, error) {
	n, err := d.file.Write(p)
	if err != nil {
		err = d.explain("write to", err)
	}
	return n, err
}

func (d *descriptor) Close() error {
	d.end(nil)
	return nil
}

// end closes the device. Only the first call counts: a device that was closed
// did not end by itself.
func (d *descriptor) end(cause *ending) {
	d.once.Do(func() {
		d.cause.Store(cause) // before Close: what that interrupts asks for it
		d.file.Close()
	})
}

// explain puts into words what the kernel said to attempt.
func (d *descriptor) explain(attempt string, err error) error {
	name := d.file.Name()
	var errno syscall.Errno
	switch known := errors.As(err, &errno); {
	case errors.Is(err, os.ErrClosed):
		err = ending("the link is closed")
		if cause := d.cause.Load(); cause != nil {
			err = *cause
		}
	case errno == unix.EIO:
		err = fmt.Errorf("the link is down (%w); set it up again: %s", errno, d.up)
	case errno == unix.EBADFD, !known:
		// The kernel tells a Read that waits by EPOLLERR, of which the Go
		// runtime makes an error without a number, "not pollable".
		err = ending("the device was deleted; start the server again")
	default:
		err = errno
	}
	return fmt.Errorf("%s %s: %w", attempt, name, err)
}
