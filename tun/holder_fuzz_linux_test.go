package tun

import (
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzHolder feeds messages to the socket that server and holder share. A request is
// either for a socket of the six kinds or invalid. Descriptors are found only where the
// kernel puts them. An answer reaches only the request that it names.
func FuzzHolder(f *testing.F) {
	for _, message := range []string{
		`{"ID":7,"Domain":2,"Type":1,"Protocol":6}`,
		`{"ID":1,"Domain":17,"Type":3,"Protocol":768}`,
		`{"ID":1,"Errno":24}`, `{"ID":1,"Errno":0}`, `{"ID":2}`, `{"ID":1} {}`,
	} {
		f.Add([]byte(message), unix.UnixRights(5, 6))
	}
	f.Add([]byte{}, unix.UnixRights(5)[:unix.CmsgLen(0)])
	f.Add([]byte{}, unix.UnixCredentials(&unix.Ucred{}))
	f.Fuzz(func(t *testing.T, message, rights []byte) {
		if request, ok := parseSocketRequest(message); ok {
			again, err := json.Marshal(request)
			if err != nil {
				t.Fatal(err)
			}
			if same, ok := parseSocketRequest(again); !ok || same != request || request.ID == 0 || !request.allowed() {
				t.Errorf("%s parses to %+v, then to %+v", message, request, same)
			}
			switch request.Domain {
			case unix.AF_INET, unix.AF_INET6:
			default:
				t.Errorf("%s asks for a socket of domain %d", message, request.Domain)
			}
		}

		if fds := takeDescriptors(rights); 4*len(fds) > len(rights) {
			t.Errorf("%d descriptors in %d bytes", len(fds), len(rights))
		}

		a := newAsker(nil)
		id, answer := a.expect()
		a.hear(message, nil)
		var said socketAnswer
		named := json.Unmarshal(message, &said) == nil && said.ID == id
		select {
		case g := <-answer:
			if !named || g.err == nil || g.fd != -1 {
				t.Errorf("%s gave %+v", message, g)
			}
			if said.Errno == 0 && !strings.Contains(g.err.Error(), "did not arrive") {
				t.Errorf("%s: the error is %v", message, g.err)
			}
		default:
			if named {
				t.Errorf("%s did not reach its request", message)
			}
		}
	})
}
