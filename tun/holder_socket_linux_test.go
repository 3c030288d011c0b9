package tun

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestHolderAnswersOnlyRequests(t *testing.T) {
	server, holder := sockets(t)
	ended := make(chan struct{})
	go func() {
		serveSockets(holder)
		close(ended)
	}()
	for _, message := range []string{
		"hello",
		"{}",
		`{"ID":1}`,
		`{"ID":0,"Domain":2,"Type":1,"Protocol":6}`,
		`{"ID":1,"Domain":2,"Type":1,"Protocol":17}`,
		`{"ID":1,"Domain":17,"Type":3,"Protocol":768}`, // AF_PACKET
		`{"ID":1,"Domain":2,"Type":1,"Protocol":6,"More":1}`,
		`{"ID":1,"Domain":2,"Type":1,"Protocol":6} {}`,
		`{"ID":1,"Domain":2,"Type":1,"Protocol":6`,
		`{"ID":7,"Domain":2,"Type":1,"Protocol":6}`, // the only one
	} {
		if _, err := server.Write([]byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	server.SetReadDeadline(time.Now().Add(20 * time.Second))
	message, rights := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := server.ReadMsgUnix(message, rights)
	if err != nil || string(message[:n]) != `{"ID":7,"Errno":0}` {
		t.Errorf("the first answer is %s, %v", message[:n], err)
	}
	fds := takeDescriptors(rights[:oobn])
	if len(fds) != 1 {
		t.Fatalf("the answer came with descriptors %v", fds)
	}
	unix.Close(fds[0])

	server.CloseWrite() // the holder first reads the messages so far
	<-ended
	server.SetReadDeadline(time.Now())
	if n, err := server.Read(message); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a second answer came: %s, %v", message[:n], err)
	}
}

func TestAskerHearsItsOwnAnswer(t *testing.T) {
	server, holder := sockets(t)
	a := newAsker(server)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		holder.Read(make([]byte, maxMessage))
		a.hear([]byte("nonsense"), nil)
		a.hear([]byte(`{"ID":7}`), nil)
		a.hear([]byte(`{"ID":1,"Errno":24}`), nil)
		a.hear([]byte(`{"ID":1,"Errno":13}`), nil) // too late
		holder.Read(make([]byte, maxMessage))
		a.hear([]byte(`{"ID":2,"Errno":0}`), nil)
	}()
	if fd, err := a.ask(t.Context(), socketKinds["tcp4"]); !errors.Is(err, unix.EMFILE) {
		t.Errorf("ask returned %d, %v", fd, err)
	}
	if fd, err := a.ask(t.Context(), socketKinds["tcp4"]); err == nil || !strings.Contains(err.Error(), "did not arrive") {
		t.Errorf("an answer without its descriptor gave %d, %v", fd, err)
	}
	<-answered

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if fd, err := a.ask(ctx, socketKinds["tcp4"]); !errors.Is(err, context.Canceled) {
		t.Errorf("ask returned %d, %v", fd, err)
	}
	holder.Close()
	if fd, err := a.ask(t.Context(), socketKinds["tcp4"]); !errors.Is(err, os.ErrClosed) {
		t.Errorf("without a holder ask returned %d, %v", fd, err)
	}
}

// A descriptor that nobody waits for is closed.
func TestAskerClosesWhatIsLate(t *testing.T) {
	server, _ := sockets(t)
	a := newAsker(server)
	open := func() int {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	unclaimed, unasked := open(), open()
	a.hear([]byte(`{"ID":3,"Errno":0}`), []int{unasked})
	_, answer := a.expect()
	a.hear([]byte(`{"ID":1,"Errno":0}`), []int{unclaimed})
	a.forget(answer)
	for _, fd := range []int{unclaimed, unasked} {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != unix.EBADF {
			t.Errorf("descriptor %d is open: %v", fd, err)
		}
	}
}
