package ping

import "errors"

// incoming is what one Receive gave.
type incoming struct {
	Message
	err error
}

// receive hands on what the socket receives, until it ends or nobody listens.
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
