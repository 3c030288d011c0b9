package session

import "os"

// An EndedError is what Err returns after End. It wraps os.ErrClosed.
type EndedError struct {
	Why string // in the words of whoever ended the link
}

func (e *EndedError) Error() string { return "the link has ended: " + e.Why }
func (e *EndedError) Unwrap() error { return os.ErrClosed }

// End ends the link as a device that fails does, and says why to those who use
// it: reads that wait return, what is queued can still be read, and the session
// stays for its agent to see that. If the link has ended already, the first
// reason stays.
func (s *Session) End(why string) error {
	s.end(&EndedError{Why: why})
	return s.device.Close() // nothing more comes from the peer
}
