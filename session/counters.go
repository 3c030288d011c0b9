package session

// Counters counts a session's packets. Received = Delivered + Queued + Dropped
// + Handled always holds: a packet counts as received once the handler, if
// there is one, has decided on it.
type Counters struct {
	Received  uint64 `json:"received"`  // from the peer, including injected ones
	Delivered uint64 `json:"delivered"` // handed to a reader
	Queued    uint64 `json:"queued"`    // waiting for a reader
	Dropped   uint64 `json:"dropped"`   // dropped from the full queue, oldest first
	Handled   uint64 `json:"handled"`   // answered or dropped by the handler
	Written   uint64 `json:"written"`   // handed to the peer, including Failed
	Failed    uint64 `json:"failed"`    // numbered as written but not taken by the device
	Refused   uint64 `json:"refused"`   // not written: faulty, not carriable, or too fast
	TooFast   uint64 `json:"too_fast"`  // part of Refused: over Config.MaxPPS
}

// count returns the current counters. s.mu is held.
func (s *Session) count() Counters {
	c := s.counters
	c.Queued = uint64(s.queue.count)
	return c
}

// Counters returns a consistent snapshot of the counters.
func (s *Session) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count()
}

// Queued returns how many packets wait for a reader.
func (s *Session) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.count
}
