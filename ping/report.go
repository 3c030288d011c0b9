package ping

// A Reporter is called for everything that happens in a run, in order, from one
// goroutine.
type Reporter interface {
	Sent()             // a request was sent
	Unsent(err error)  // a request could not be sent
	Reply(r Reply)     // an echo reply
	Error(m Message)   // an ICMP error
	Silent()           // called once if there was no reply within Wait (zero means DefaultWait) or in the whole run
	Done(s Statistics) // the last call
}

// A Reply is an echo reply and what is unusual about it.
type Reply struct {
	Message
	Want      []byte // the expected payload; nil means unknown
	Wrong     int    // offset of the first byte that differs from Want; -1 means none
	Duplicate bool   // its request was answered before
	Stray     bool   // it answers a request that was never sent
	Elsewhere bool   // its source is another address than the one pinged
}

// Truncated reports whether less came back than was sent.
func (r Reply) Truncated() bool { return len(r.Data) < len(r.Want) }
