package session

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun"
)

// Bounds of Config.Queue, in packets.
const (
	DefaultQueue = 256
	MaxQueue     = RecordPackets // of more the oldest would be forgotten before they were read: no number could refer to them
)

// Config says how a session treats its link.
type Config struct {
	Name   string         // session name; for the control socket and the status
	MTU    int            // longest packet the link carries, in bytes; zero: packet.MaxLen
	Queue  int            // packets that may wait for a reader; zero: DefaultQueue
	Allow  []netip.Prefix // where written packets may go, and their answers; empty: anywhere (the link itself leads nowhere)
	MaxPPS int            // packets a second that may be written; zero: no limit
	Report func(error)    // called once when the link ends by itself; nil: nobody is told
	Record *Recorder      // gets every packet, and is closed with the session; nil: no recording
}

// Session is one link from open to close. All methods may be called at the
// same time from any goroutine.
type Session struct {
	config  Config
	device  tun.Device
	started time.Time
	done    chan struct{} // closed when the link has ended
	reader  sync.WaitGroup

	writing sync.Mutex // held while a packet is handed to the device: one writer at a time, numbers in order

	mu       sync.Mutex // guards everything below
	queue    queue
	arrived  chan struct{} // closed and replaced when a packet is queued while somebody waits
	waiting  int           // waits on arrived since it was made
	readers  int           // reads under way that have found nothing yet
	record   record
	pairs    pairs
	shown    map[packet.Segment]int // TCP segments delivered, by the number they were delivered under
	sent     map[packet.Segment]int // those written
	rate     bucket                 // of written packets
	counters Counters
	watchers map[*watcher]struct{}
	err      error // why the link has ended
}

// New starts a session on an open device, which it owns from now on. It starts
// one goroutine that reads the device until the device or the session closes.
func New(device tun.Device, config Config) *Session {
	if config.Queue == 0 {
		config.Queue = DefaultQueue
	}
	if config.MTU == 0 {
		config.MTU = packet.MaxLen
	}
	s := &Session{
		config:   config,
		device:   device,
		started:  time.Now(),
		done:     make(chan struct{}),
		queue:    newQueue(config.Queue),
		arrived:  make(chan struct{}),
		pairs:    newPairs(),
		rate:     bucket{rate: config.MaxPPS},
		shown:    make(map[packet.Segment]int),
		sent:     make(map[packet.Segment]int),
		watchers: make(map[*watcher]struct{}),
	}
	s.reader.Add(1)
	go s.readDevice()
	return s
}

// readDevice moves packets from the device into the queue until the device
// ends. Any error ends the session: retrying a device that fails would spin.
func (s *Session) readDevice() {
	defer s.reader.Done()
	buffer := make([]byte, packet.MaxLen) // a TUN device cuts what is longer than the buffer without a word
	for {
		n, err := s.device.Read(buffer)
		if err != nil {
			s.end(err)
			return
		}
		if n > 0 {
			s.receive(append([]byte(nil), buffer[:n]...), false)
		}
	}
}

// receive numbers, records and queues a packet from the peer.
func (s *Session) receive(data []byte, injected bool) *Packet {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &Packet{Number: s.record.last + 1, Direction: Read, Time: time.Now(), Data: data, Injected: injected}
	s.keep(p)
	s.counters.Received++
	s.publish(packetEvent(p))
	if dropped := s.queue.push(p); dropped != nil {
		s.counters.Dropped++
		s.publish(Event{Event: EventDropped, Number: dropped.Number, Time: p.Time})
	}
	s.wake()
	return p
}

// keep puts p into the record, and the recording. s.mu is held.
func (s *Session) keep(p *Packet) {
	s.config.Record.add(p)
	s.record.add(p, func(old *Packet) {
		s.pairs.forget(old)
		segment, ok := packet.SegmentOf(old.Data)
		for _, numbers := range []map[packet.Segment]int{s.shown, s.sent} {
			if ok && numbers[segment] == old.Number {
				delete(numbers, segment)
			}
		}
	})
}

// wake lets waiting readers look at the queue again. s.mu is held.
func (s *Session) wake() {
	if s.waiting > 0 {
		close(s.arrived)
		s.arrived = make(chan struct{})
		s.waiting = 0
	}
}

// Inject queues a packet as if the peer had sent it. It is for tests and
// trials: the peer's stack never sees it.
func (s *Session) Inject(data []byte) (*Packet, error) {
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("injecting a packet: %w", err)
	}
	if len(data) == 0 || len(data) > packet.MaxLen {
		return nil, fmt.Errorf("injecting a packet: it has %d bytes, a packet has 1 to %d", len(data), packet.MaxLen)
	}
	return s.receive(append([]byte(nil), data...), true), nil
}

// Packet returns a packet of the record by its number. The error says which
// numbers the record still holds.
func (s *Session) Packet(number int) (*Packet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.record.find(number)
	if err != nil {
		return nil, err
	}
	return e.packet, nil
}

// Device returns the link's device. The session owns it: only what its peer
// offers besides packets, a socket for instance, is for others.
func (s *Session) Device() tun.Device { return s.device }

// Started returns when the session was started.
func (s *Session) Started() time.Time { return s.started }

// Done is closed when the link has ended, by Close or by itself.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns nil while the link is open, then an error that wraps
// os.ErrClosed and says how it ended.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close ends the session and its device, and waits for the reader of the
// device and for the recording. Blocked reads return. Closing twice is allowed.
func (s *Session) Close() error {
	s.end(ErrClosedHere)
	err := s.device.Close()
	s.reader.Wait()
	s.config.Record.close()
	return err
}

// ErrClosedHere is what Err returns after Close, unless the link had ended by
// itself before.
var ErrClosedHere = fmt.Errorf("the session was closed: %w", os.ErrClosed)

// end marks the link as ended; the first reason given stays.
func (s *Session) end(reason error) {
	if errors.Is(reason, io.EOF) || !errors.Is(reason, os.ErrClosed) {
		reason = fmt.Errorf("the device failed: %w (%w)", reason, os.ErrClosed)
	}
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return
	}
	s.err = reason
	close(s.done)
	s.publish(Event{Event: EventEnd, Time: time.Now(), Why: reason.Error()})
	s.mu.Unlock()
	if reason != ErrClosedHere && s.config.Report != nil {
		s.config.Report(reason)
	}
}
