package handler

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"github.com/tun-mcp/tun-mcp/packet"
)

func (p *buffer) mutable() error {
	if p.frozen {
		return errors.New("the packet is frozen")
	}
	return nil
}

// natural returns v as a number, which must be from 0 to most.
func natural(v starlark.Value, most uint64) (uint64, error) {
	i, ok := v.(starlark.Int)
	if !ok {
		return 0, fmt.Errorf("a value of type %s; accepted: a number from 0 to %#x", v.Type(), most)
	}
	n, ok := i.Uint64()
	if !ok || n > most {
		return 0, fmt.Errorf("%s; accepted: a number from 0 to %#x (& %#x keeps the low bits)", clip(i.String()), most, most)
	}
	return n, nil
}

// bytesOf returns the bytes of a packet or of bytes.
func bytesOf(v starlark.Value) ([]byte, bool) {
	switch v := v.(type) {
	case *buffer:
		return v.data, true
	case starlark.Bytes:
		return []byte(v), true
	}
	return nil, false
}

// at returns the offset v, where negative values count from the end. It returns an error if n
// bytes at that offset are not all in the packet.
func (p *buffer) at(v starlark.Value, n int) (int, error) {
	i, err := starlark.AsInt32(v)
	if err != nil {
		return 0, fmt.Errorf("offset: %w", err)
	}
	at := i
	if at < 0 {
		at += len(p.data)
	}
	if at < 0 || at+n > len(p.data) {
		return 0, fmt.Errorf("%d bytes at offset %d are outside the packet, which has %d bytes", n, i, len(p.data))
	}
	return at, nil
}

// packetMethod calls a method of a packet.
func (h *Handler) packetMethod(p *buffer, name string, args starlark.Tuple) (starlark.Value, error) {
	switch name {
	case "u16":
		return p.read(name, args, 2)
	case "u32":
		return p.read(name, args, 4)
	case "copy":
		if err := takes(0, name, args); err != nil {
			return nil, err
		}
		if err := h.charge(len(p.data) + bufferBytes); err != nil {
			return nil, err
		}
		return &buffer{data: slices.Clone(p.data)}, nil
	}
	if err := p.mutable(); err != nil {
		return nil, err
	}
	var err error
	switch name {
	case "put16":
		err = p.write(name, args, 2)
	case "put32":
		err = p.write(name, args, 4)
	case "put":
		err = p.put(args)
	case "swap":
		err = p.swap(args)
	case "cut":
		err = p.cut(args)
	case "append":
		err = h.appendTo(p, args)
	default:
		err = fmt.Errorf("a packet has no %s; accepted: len(p), p[i], p[a:b], %s", name, packetMethods)
	}
	if err != nil {
		return nil, err
	}
	return starlark.None, nil
}

// takes returns an error unless args has n arguments.
func takes(n int, name string, args starlark.Tuple) error {
	if len(args) != n {
		return fmt.Errorf("%s takes %d arguments, not %d; a packet has %s", name, n, len(args), packetMethods)
	}
	return nil
}

// read implements u16(i) and u32(i). size is 2 or 4.
func (p *buffer) read(name string, args starlark.Tuple, size int) (starlark.Value, error) {
	if err := takes(1, name, args); err != nil {
		return nil, err
	}
	i, err := p.at(args[0], size)
	if err != nil {
		return nil, err
	}
	if size == 2 {
		return starlark.MakeInt(int(binary.BigEndian.Uint16(p.data[i:]))), nil
	}
	return starlark.MakeUint64(uint64(binary.BigEndian.Uint32(p.data[i:]))), nil
}

// write implements put16(i, n) and put32(i, n). size is 2 or 4.
func (p *buffer) write(name string, args starlark.Tuple, size int) error {
	if err := takes(2, name, args); err != nil {
		return err
	}
	i, err := p.at(args[0], size)
	if err != nil {
		return err
	}
	n, err := natural(args[1], 1<<(8*size)-1)
	if err != nil {
		return fmt.Errorf("%s: the value is %w", name, err)
	}
	if size == 2 {
		binary.BigEndian.PutUint16(p.data[i:], uint16(n))
	} else {
		binary.BigEndian.PutUint32(p.data[i:], uint32(n))
	}
	return nil
}

// put implements put(i, bytes).
func (p *buffer) put(args starlark.Tuple) error {
	if err := takes(2, "put", args); err != nil {
		return err
	}
	b, ok := bytesOf(args[1])
	if !ok {
		return fmt.Errorf("put takes an offset and bytes or a packet, not a %s", args[1].Type())
	}
	i, err := p.at(args[0], len(b))
	if err != nil {
		return err
	}
	copy(p.data[i:], b)
	return nil
}

// swap implements swap(i, j, n).
func (p *buffer) swap(args starlark.Tuple) error {
	if err := takes(3, "swap", args); err != nil {
		return err
	}
	n, err := starlark.AsInt32(args[2])
	if err != nil || n < 0 {
		return fmt.Errorf("swap: n is %s; accepted: a number of bytes", clip(args[2].String()))
	}
	i, err := p.at(args[0], n)
	if err != nil {
		return err
	}
	j, err := p.at(args[1], n)
	if err != nil {
		return err
	}
	if i < j+n && j < i+n && i != j {
		return fmt.Errorf("swap: %d bytes at %d and at %d overlap", n, i, j)
	}
	for k := range n {
		p.data[i+k], p.data[j+k] = p.data[j+k], p.data[i+k]
	}
	return nil
}

// cut implements cut(n).
func (p *buffer) cut(args starlark.Tuple) error {
	if err := takes(1, "cut", args); err != nil {
		return err
	}
	n, err := starlark.AsInt32(args[0])
	if err != nil || n < 0 || n > len(p.data) {
		return fmt.Errorf("cut(%s): accepted: 0 to %d, the number of bytes to keep", clip(args[0].String()), len(p.data))
	}
	p.data = p.data[:n]
	return nil
}

// appendTo implements append(bytes).
func (h *Handler) appendTo(p *buffer, args starlark.Tuple) error {
	if err := takes(1, "append", args); err != nil {
		return err
	}
	b, ok := bytesOf(args[0])
	if !ok {
		return fmt.Errorf("append takes bytes or a packet, not a %s", args[0].Type())
	}
	size := len(p.data) + len(b)
	if size > packet.MaxLen {
		return fmt.Errorf("append: the packet would have %d bytes; accepted: at most %d", size, packet.MaxLen)
	}
	if size > cap(p.data) { // it is reallocated with twice the size
		if err := h.charge(2 * size); err != nil {
			return err
		}
	}
	p.data = append(p.data, b...)
	return nil
}
