package session

import "os"

// An EndedError is returned by Err after End. It wraps os.ErrClosed.
type EndedError struct {
	Why string // the reason given to End
}

func (e *EndedError) Error() string { return "the link has ended: " + e.Why }
func (e *EndedError) Unwrap() error { return os.ErrClosed }

// End ends the link with a reason, as if the device had failed. Waiting reads
// return, queued packets can still be read, and the session stays open so that
// its agent can see the reason. If the link has already ended, the first reason
// stays.
func (s *Session) End(why string) error {
	s.end(&EndedError{Why: why})
	return s.device.Close() // stops reading from the peer
}
