package handler

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/tun-mcp/tun-mcp/packet"
)

// packetMethods lists the methods of a packet, for errors.
const packetMethods = "u16(i), u32(i), put16(i, n), put32(i, n), put(i, bytes), swap(i, j, n), cut(n), append(bytes), copy()"

// buffer is the language's type packet: mutable bytes.
type buffer struct {
	data   []byte
	frozen bool
}

var (
	_ starlark.HasSetIndex = (*buffer)(nil)
	_ starlark.Sliceable   = (*buffer)(nil)
	_ starlark.Iterable    = (*buffer)(nil)
	_ starlark.Comparable  = (*buffer)(nil)
	_ starlark.Container   = (*buffer)(nil)
)

func (p *buffer) String() string        { return fmt.Sprintf("packet of %d bytes", len(p.data)) }
func (p *buffer) Type() string          { return "packet" }
func (p *buffer) Freeze()               { p.frozen = true }
func (p *buffer) Truth() starlark.Bool  { return len(p.data) > 0 }
func (p *buffer) Hash() (uint32, error) { return 0, errors.New("a packet cannot be a key: use p[a:b]") }
func (p *buffer) Len() int              { return len(p.data) }

func (p *buffer) Index(i int) starlark.Value { return starlark.MakeInt(int(p.data[i])) }

func (p *buffer) SetIndex(i int, v starlark.Value) error {
	n, err := natural(v, 0xff)
	if err != nil {
		return fmt.Errorf("p[%d] = %w", i, err)
	}
	if err := p.mutable(); err != nil {
		return err
	}
	p.data[i] = byte(n)
	return nil
}

// Slice returns a copy, as bytes.
func (p *buffer) Slice(start, end, step int) starlark.Value {
	if step == 1 {
		return starlark.Bytes(p.data[start:end])
	}
	var out []byte
	for i := start; i != end && (step > 0) == (i < end); i += step {
		out = append(out, p.data[i])
	}
	return starlark.Bytes(out)
}

// Has reports whether the packet contains v: bytes, or the value of one byte.
func (p *buffer) Has(v starlark.Value) (bool, error) {
	switch v := v.(type) {
	case starlark.Bytes:
		return strings.Contains(string(p.data), string(v)), nil
	case starlark.Int:
		n, err := natural(v, 0xff)
		return err == nil && slices.Contains(p.data, byte(n)), nil
	}
	return false, fmt.Errorf("a packet cannot contain a %s; accepted before in: bytes, or a number", v.Type())
}

func (p *buffer) CompareSameType(op syntax.Token, other starlark.Value, _ int) (bool, error) {
	equal := string(p.data) == string(other.(*buffer).data)
	switch op {
	case syntax.EQL:
		return equal, nil
	case syntax.NEQ:
		return !equal, nil
	}
	return false, fmt.Errorf("packets cannot be compared with %s; accepted: == and !=", op)
}

// Iterate iterates over the bytes, as numbers.
func (p *buffer) Iterate() starlark.Iterator { return &walk{p: p} }

type walk struct {
	p *buffer
	i int
}

func (w *walk) Done() {}
func (w *walk) Next(v *starlark.Value) bool {
	if w.i >= len(w.p.data) { // the packet may have become shorter
		return false
	}
	*v = w.p.Index(w.i)
	w.i++
	return true
}

// newPacket implements packet(n), packet(bytes) and packet(list of numbers).
func (h *Handler) newPacket(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) != 1 || len(kwargs) > 0 {
		return nil, errors.New("packet takes one argument: a number of zero bytes, or bytes")
	}
	if n, ok := args[0].(starlark.Int); ok {
		size, ok := n.Uint64()
		if !ok || size > packet.MaxLen {
			return nil, fmt.Errorf("packet(%s): accepted: 0 to %d bytes", clip(n.String()), packet.MaxLen)
		}
		if err := h.charge(int(size) + bufferBytes); err != nil {
			return nil, err
		}
		return &buffer{data: make([]byte, size)}, nil
	}
	b, err := h.octets(args[0])
	if err != nil {
		return nil, fmt.Errorf("packet: %w", err)
	}
	if len(b) > packet.MaxLen {
		return nil, fmt.Errorf("packet: %d bytes; accepted: at most %d", len(b), packet.MaxLen)
	}
	return &buffer{data: []byte(b)}, nil
}

// checksum implements checksum(bytes), the Internet checksum (RFC 1071).
func (h *Handler) checksum(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 1 && len(kwargs) == 0 {
		if b, ok := bytesOf(args[0]); ok {
			return starlark.MakeInt(int(packet.Checksum(b))), h.work(len(b) / 64)
		}
	}
	return nil, errors.New("checksum takes bytes or a packet, for instance checksum(p[0:20]) for an IPv4 header whose checksum field is 0")
}

// fix implements fix(p), which fills in lengths and checksums of a packet and returns it.
func (h *Handler) fix(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 1 && len(kwargs) == 0 {
		if p, ok := args[0].(*buffer); ok {
			if err := p.mutable(); err != nil {
				return nil, err
			}
			fixed, err := packet.Fix(p.data)
			if err != nil {
				return nil, err
			}
			copy(p.data, fixed)
			return p, nil
		}
	}
	return nil, errors.New("fix takes a packet, fills in its lengths and checksums, and returns it")
}
