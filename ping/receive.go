package ping

import "errors"

// incoming is the result of one Receive.
type incoming struct {
	Message
	err error
}

// receive forwards what the socket receives, until the socket ends or nobody
// listens.
func receive(socket Socket, to chan<- incoming, stopped <-chan struct{}) {
	for {
		m, err := socket.Receive()
		select {
		case to <- incoming{m, err}:
		case <-stopped:
			return
		}
		if _, goesOn := errors.AsType[*Unsent](err); err != nil && !goesOn {
			return
		}
	}
}
