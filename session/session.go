package session

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tun-mcp/tun-mcp/handler"
	"github.com/tun-mcp/tun-mcp/packet"
	"github.com/tun-mcp/tun-mcp/tun"
)

// Bounds of Config.Queue, in packets.
const (
	DefaultQueue = 256           // at most 16 MiB, see queueBytes
	MaxQueue     = RecordPackets // in a longer queue the record would forget packets before they are read
)

// Config configures a session.
type Config struct {
	Name   string         // session name, shown in the status
	MTU    int            // longest packet the link carries, in bytes; zero means packet.MaxLen
	Queue  int            // packets that may wait for a reader; zero means DefaultQueue
	Allow  []netip.Prefix // prefixes that written packets and their answers may go to; empty means anywhere (the link itself leads nowhere)
	MaxPPS int            // packets a second that may be written; zero means no limit
	Report func(error)    // if not nil, called once when the link ends by itself
	Record *Recorder      // gets every packet and is closed with the session; nil means no recording
	Check  bool           // refuse handler packets with a wrong length or checksum
}

// Session is one link from open to close. Its methods are safe for concurrent
// use.
type Session struct {
	config  Config
	device  tun.Device
	started time.Time
	done    chan struct{} // closed when the link has ended
	reader  sync.WaitGroup

	knownMTU atomic.Pointer[knownMTU] // see mtu

	writing sync.Mutex // held while a packet is handed to the device, so that numbers are in order

	handling sync.Mutex       // held from numbering a packet to the handler's decision, so that packets are handled in order
	program  *handler.Handler // the installed handler or nil; guarded by handling

	mu       sync.Mutex // guards everything below
	queue    queue
	arrived  chan struct{} // closed and replaced when a packet is queued while somebody waits
	waiting  int           // number of waits on the current arrived
	readers  int           // reads in progress that have found nothing yet
	record   record
	pairs    pairs
	shown    map[packet.Segment]int // numbers of delivered TCP segments
	sent     map[packet.Segment]int // numbers of written ones
	tcp      connections            // which of both count
	rate     bucket                 // limits written packets
	counters Counters
	handler  handled
	lastCall time.Time // when the last tool call ended
	lastRead time.Time // when the peer last sent a packet; zero means never
	watchers map[*watcher]struct{}
	err      error // why the link has ended
}

// New starts a session on an open device and takes ownership of it. It starts
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
		tcp:      make(connections),
		watchers: make(map[*watcher]struct{}),
	}
	s.reader.Add(1)
	go s.readDevice()
	return s
}

// readDevice moves packets from the device to the queue until the device ends.
// Any error ends the session: retrying a failed device would spin.
func (s *Session) readDevice() {
	defer s.reader.Done()
	buffer := make([]byte, packet.MaxLen) // a TUN device silently truncates packets longer than the buffer
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

// receive numbers and records a packet from the peer. The handler answers it,
// drops it, or leaves it to the agent; then it is queued.
func (s *Session) receive(data []byte, injected bool) *Packet {
	s.handling.Lock()
	defer s.handling.Unlock()
	s.mu.Lock()
	p := &Packet{Number: s.record.last + 1, Direction: Read, Time: time.Now(), Data: data, Injected: injected}
	s.keep(p)
	s.lastRead = p.Time
	if len(s.watchers) > 0 {
		s.publish(packetEvent(p))
	}
	if s.program != nil {
		s.mu.Unlock()
		s.handle(p)
		return p
	}
	defer s.mu.Unlock()
	s.counters.Received++
	s.enqueue(p)
	return p
}

// enqueue queues a packet for the agent. s.mu is held.
func (s *Session) enqueue(p *Packet) {
	s.queue.push(p, func(dropped *Packet) {
		s.counters.Dropped++
		s.publish(Event{Event: EventDropped, Number: dropped.Number, Time: time.Now()})
	})
	s.wake()
}

// Idle returns the time since the peer's last packet, or zero if there was
// none.
func (s *Session) Idle() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lastRead.IsZero() {
		return 0
	}
	return time.Since(s.lastRead)
}

// keep adds p to the record and to the recording. s.mu is held.
func (s *Session) keep(p *Packet) {
	s.config.Record.add(p)
	s.record.add(p, func(old *Packet) {
		s.pairs.forget(old)
		if len(s.shown)+len(s.sent)+len(s.tcp) == 0 {
			return
		}
		segment, ok := packet.SegmentOf(old.Data)
		if !ok {
			return
		}
		for _, numbers := range []map[packet.Segment]int{s.shown, s.sent} {
			if numbers[segment] == old.Number {
				delete(numbers, segment)
			}
		}
		s.tcp.forget(segment, old.Number)
	})
}

// wake makes waiting readers check the queue again. s.mu is held.
func (s *Session) wake() {
	if s.waiting > 0 {
		close(s.arrived)
		s.arrived = make(chan struct{})
		s.waiting = 0
	}
}

// Inject queues a packet as if the peer had sent it, for tests and trials. The
// peer's stack never sees it.
func (s *Session) Inject(data []byte) (*Packet, error) {
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("injecting a packet: %w", err)
	}
	if len(data) == 0 || len(data) > packet.MaxLen {
		return nil, fmt.Errorf("injecting a packet: it has %d bytes, a packet has 1 to %d", len(data), packet.MaxLen)
	}
	return s.receive(append([]byte(nil), data...), true), nil
}

// Packet returns a recorded packet by its number. The error says which numbers
// the record still holds.
func (s *Session) Packet(number int) (*Packet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.record.find(number)
	if err != nil {
		return nil, err
	}
	return e.packet, nil
}

// Device returns the link's device. The session owns it: callers may use only
// what the peer offers besides packets, such as sockets.
func (s *Session) Device() tun.Device { return s.device }

// Started returns when the session was started.
func (s *Session) Started() time.Time { return s.started }

// Done returns a channel that is closed when the link has ended, by Close or by
// itself.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns nil while the link is open, and then an error that wraps
// os.ErrClosed and says how the link ended.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close ends the session and its device, and waits for the device's reader and
// the recording. Blocked reads return. Close may be called twice.
func (s *Session) Close() error {
	s.end(ErrClosedHere)
	err := s.device.Close()
	s.reader.Wait()
	s.config.Record.close()
	return err
}

// ErrClosedHere is returned by Err after Close, unless the link had already
// ended by itself.
var ErrClosedHere = fmt.Errorf("the session was closed: %w", os.ErrClosed)

// end marks the link as ended. The first reason stays.
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
