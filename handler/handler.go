// Package handler runs packet handlers: small Starlark programs that answer packets at the
// speed of the link. The size of a program's source, its steps, time and memory are limited,
// whatever it does. The package knows neither MCP nor devices.
package handler

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Limits limit what a program may use. A zero field means the default.
type Limits struct {
	Source int           // bytes of source
	Steps  int           // interpreter steps per packet or tick; loading may take ten times as many
	Time   time.Duration // time per packet, tick or load
	Memory int           // bytes that state and globals may hold together; one run may allocate half as much
}

// Defaults of Limits.
const (
	DefaultSource = 64 << 10
	DefaultSteps  = 100_000 // about 5 ms; the checksum of 1,500 bytes, in Starlark, takes a tenth of that
	DefaultTime   = 250 * time.Millisecond
	DefaultMemory = 16 << 20
)

// MaxPackets is the most packets that a program may send per packet or tick.
const MaxPackets = 64

// TickEvery is how often the caller should call Tick.
const TickEvery = 100 * time.Millisecond

func (l Limits) withDefaults() Limits {
	if l.Source == 0 {
		l.Source = DefaultSource
	}
	if l.Steps == 0 {
		l.Steps = DefaultSteps
	}
	if l.Time == 0 {
		l.Time = DefaultTime
	}
	if l.Memory == 0 {
		l.Memory = DefaultMemory
	}
	return l
}

// Options configure Load.
type Options struct {
	Name   string // file name in errors; empty means handler.star
	Fix    bool   // offer checksum and fix
	Limits Limits
}

// Handler is a loaded program. It is not safe for concurrent use.
type Handler struct {
	meter
	name     string
	source   string
	fixes    bool
	state    *starlark.Dict // lives as long as the handler
	globals  starlark.StringDict
	handle   starlark.Callable
	tick     starlark.Callable // nil if the program has none
	lines    []string          // of the log, the oldest first
	measured int               // bytes that state and globals held when last measured
	since    int               // bytes charged since then
	over     bool              // state and globals held too much
}

// Load compiles a program and runs its top level. The error is a *Fault if the mistake has a
// position in the source.
func Load(source string, options Options) (*Handler, error) {
	h := &Handler{name: options.Name, source: source, fixes: options.Fix}
	if h.name == "" {
		h.name = "handler.star"
	}
	h.meter.limits = options.Limits.withDefaults()
	switch {
	case len(source) > h.limits.Source:
		return nil, fmt.Errorf("the source has %d bytes; accepted: at most %d", len(source), h.limits.Source)
	case strings.TrimSpace(source) == "":
		return nil, errors.New("the source is empty; accepted: a Starlark program that defines handle(p)")
	case !utf8.ValidString(source):
		return nil, fmt.Errorf("the source is not UTF-8 at byte %d; accepted: UTF-8 text", firstInvalid(source))
	}
	h.thread = &starlark.Thread{Name: h.name, OnMaxSteps: h.meter.pause}
	if err := h.guard("loading", h.load); err != nil {
		return nil, err
	}
	return h, nil
}

func firstInvalid(s string) int {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return i
			}
		}
	}
	return len(s)
}

func (h *Handler) load() error {
	options := &syntax.FileOptions{TopLevelControl: true, GlobalReassign: true}
	file, err := options.Parse(h.name, h.source, 0)
	if err != nil {
		return err
	}
	h.state = new(starlark.Dict)
	predeclared := h.predeclared()
	if err := rewrite(file, predeclared.Has); err != nil {
		return err
	}
	program, err := starlark.FileProgram(file, predeclared.Has)
	if err != nil {
		return err
	}
	h.begin(10*h.limits.Steps, h.limits.Memory/2)
	globals, err := program.Init(h.thread, predeclared)
	if err != nil {
		return err
	}
	if _, taken := globals["state"]; taken {
		return errors.New("the program assigns state, which already exists: a dict that lives as long as the handler; set its entries with state[key] = value")
	}
	maps.DeleteFunc(globals, func(name string, _ starlark.Value) bool { return strings.HasPrefix(name, ofHost) })
	h.globals = globals
	if err := h.measure(); err != nil {
		return err
	}
	h.freeze()
	if h.handle, err = h.function("handle", "p", true); err != nil {
		return err
	}
	h.tick, err = h.function("tick", "ms", false)
	return err
}

// function returns the global function with that name, which must take one argument. It
// returns nil if there is none and needed is false.
func (h *Handler) function(name, parameter string, needed bool) (starlark.Callable, error) {
	value, ok := h.globals[name]
	switch f := value.(type) {
	case *starlark.Function:
		if f.NumParams() != 1 {
			return nil, h.at(f.Position(), fmt.Sprintf("%s takes %d parameters; accepted: one, def %s(%s)", name, f.NumParams(), name, parameter))
		}
		return f, nil
	default:
		if !ok && !needed {
			return nil, nil
		}
		if !ok {
			return nil, errors.New("the program does not define handle; accepted: def handle(p): ... that returns None (the agent gets the packet), [] (drop it) or a list of packets to send")
		}
		return nil, fmt.Errorf("%s is of type %s; accepted: a function, def %s(%s)", name, value.Type(), name, parameter)
	}
}

// Handle runs the program on a packet. If taken is false, the agent gets the packet.
// Otherwise the caller sends packets, in order; none means that the packet is dropped. The
// packets are valid until the next call. An error means that the program failed on this
// packet, and the agent gets it.
func (h *Handler) Handle(data []byte) (packets [][]byte, taken bool, err error) {
	err = h.run("handle", h.handle, &buffer{data: append(make([]byte, 0, len(data)+64), data...)}, &packets, &taken)
	return packets, taken, err
}

// HasTick reports whether the program defines tick.
func (h *Handler) HasTick() bool { return h.tick != nil }

// Tick runs the program's tick with the time since the handler was installed, and returns the
// packets to send, which are valid until the next call. It does nothing if the program has no
// tick.
func (h *Handler) Tick(since time.Duration) (packets [][]byte, err error) {
	if h.tick == nil {
		return nil, nil
	}
	var taken bool
	err = h.run("tick", h.tick, starlark.MakeInt64(since.Milliseconds()), &packets, &taken)
	return packets, err
}

// run calls f with one argument and stores its outcome.
func (h *Handler) run(name string, f starlark.Callable, argument starlark.Value, packets *[][]byte, taken *bool) error {
	err := h.guard(name, func() error {
		steps, memory := h.limits.Steps, h.limits.Memory/2
		if h.over { // enough to free memory, not enough to use much more
			steps, memory = steps/4, memory/16
		}
		h.begin(steps, memory)
		value, err := starlark.Call(h.thread, f, starlark.Tuple{argument}, nil)
		if err != nil {
			return err
		}
		*packets, *taken, err = outcome(name, value)
		return err
	})
	h.since += h.used()
	if h.since > h.limits.Memory/4 || h.over {
		if full := h.guard(name, h.measure); full != nil && err == nil {
			err = full
		}
	}
	if err != nil {
		*packets, *taken = nil, false
	}
	return err
}

// outcome translates the value that handle or tick returned.
func outcome(name string, value starlark.Value) (packets [][]byte, taken bool, err error) {
	const accepted = "accepted: None (the agent gets the packet), [] (drop it), or a list of packets or bytes to send"
	var list starlark.Indexable
	switch value := value.(type) {
	case starlark.NoneType:
		return nil, false, nil
	case *starlark.List:
		list = value
	case starlark.Tuple:
		list = value
	case *buffer, starlark.Bytes:
		return nil, false, fmt.Errorf("%s returned a %s that is not in a list; accepted: return [p]", name, value.Type())
	default:
		return nil, false, fmt.Errorf("%s returned a value of type %s; %s", name, value.Type(), accepted)
	}
	if list.Len() > MaxPackets {
		return nil, false, fmt.Errorf("%s returned %d packets; accepted: at most %d", name, list.Len(), MaxPackets)
	}
	for i := range list.Len() {
		data, ok := bytesOf(list.Index(i))
		if !ok {
			return nil, false, fmt.Errorf("element %d of the list that %s returned is of type %s; %s", i, name, list.Index(i).Type(), accepted)
		}
		packets = append(packets, data)
	}
	return packets, true, nil
}

// guard calls f and turns its errors and panics into errors for the agent.
func (h *Handler) guard(doing string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s failed inside the interpreter: %s", doing, clip(fmt.Sprint(r)))
		}
	}()
	if err = f(); err != nil {
		err = h.fault(err)
	}
	return err
}

// Source returns the program's text.
func (h *Handler) Source() string { return h.source }

// Log returns the last 50 lines that the program has logged, the oldest first. They are
// printable ASCII, with bytes as hex.
func (h *Handler) Log() []string { return append([]string(nil), h.lines...) }

// Steps returns the number of steps of the last run.
func (h *Handler) Steps() int { return int(h.thread.Steps) }
