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

// A descriptor is a Device: a TUN device held open by this process.
type descriptor struct {
	file *os.File // its name is the device's
	up   string   // the command that brings the link up

	once  sync.Once
	cause atomic.Pointer[ending] // why it ended by itself; nil if it did not
}

// newDescriptor takes ownership of fd, an open TUN device that no child process
// inherits.
func newDescriptor(fd int, name, up string) (*descriptor, error) {
	// Go polls only non-blocking descriptors, and only with polling does Close end a
	// waiting Read.
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
		d.cause.Store(cause) // before Close, since interrupted calls read it
		d.file.Close()
	})
}

// explain adds an explanation to the kernel's error for attempt.
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
		err = fmt.Errorf("the link is down (%w); bring it up again: %s", errno, d.up)
	case errno == unix.EBADFD, !known:
		// For a waiting Read the kernel signals this by EPOLLERR, which the Go
		// runtime turns into the error "not pollable".
		err = ending("the device was deleted; start the server again")
	default:
		err = errno
	}
	return fmt.Errorf("%s %s: %w", attempt, name, err)
}
