package session

// Counters of a session, in packets. Always: Received = Delivered + Queued + Dropped.
type Counters struct {
	Received  uint64 `json:"received"`  // from the peer, injected ones included
	Delivered uint64 `json:"delivered"` // handed to a reader
	Queued    uint64 `json:"queued"`    // waiting for a reader
	Dropped   uint64 `json:"dropped"`   // fell out of the full queue, oldest first
	Written   uint64 `json:"written"`   // handed to the peer, Failed included
	Failed    uint64 `json:"failed"`    // numbered as written, but the device did not take them
	Refused   uint64 `json:"refused"`   // not written: faulty, not to be carried, or too fast
	TooFast   uint64 `json:"too_fast"`  // of Refused: over Config.MaxPPS
}

// count returns the counters as of now. s.mu is held.
func (s *Session) count() Counters {
	c := s.counters
	c.Queued = uint64(s.queue.count)
	return c
}

// Counters returns the counters as of now, all of one moment.
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
