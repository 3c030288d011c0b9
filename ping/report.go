package ping

// A Reporter is told what happens, in order, by one goroutine.
type Reporter interface {
	Sent()             // a request is on the link
	Unsent(err error)  // a request did not get there
	Reply(r Reply)     // an echo reply
	Error(m Message)   // an ICMP error
	Silent()           // once: there was no reply in Wait (zero: DefaultWait), or in the whole run
	Done(s Statistics) // the last call
}

// A Reply is an echo reply and what is to say about it.
type Reply struct {
	Message
	Want      []byte // what should have come back; nil: not known
	Wrong     int    // offset of the first byte that is not so; -1: none
	Duplicate bool   // its request was answered before
	Stray     bool   // it answers what was never sent
	Elsewhere bool   // it claims to come from another address
}

// Truncated tells that less came back than was sent.
func (r Reply) Truncated() bool { return len(r.Data) < len(r.Want) }
