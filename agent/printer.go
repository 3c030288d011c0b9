package agent

import (
	"bufio"
	"fmt"
	"io"
	"sync"
)

// printer prints a line for each packet that is read or written.
type printer struct {
	mu  sync.Mutex // guards out
	out *bufio.Writer
}

// newPrinter returns a printer that prints to out. With nil it prints nothing.
func newPrinter(out io.Writer) *printer {
	if out == nil {
		return nil
	}
	return &printer{out: bufio.NewWriter(out)}
}

func (p *printer) read(r readout) {
	if p == nil || len(r.packets) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, packet := range r.packets {
		p.line("read ", packet.number, packet.size, packet.summary)
	}
	p.out.Flush()
}

func (p *printer) wrote(w writeout) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, packets := range w.written {
		if n := len(packets.numbers); n > 1 {
			fmt.Fprintf(p.out, "write #%d to #%d: %d packets, %d bytes each", packets.numbers[0], packets.numbers[n-1], n, packets.size)
			p.about(packets.about)
			continue
		}
		p.line("write", packets.numbers[0], packets.size, packets.about)
	}
	p.out.Flush()
}

func (p *printer) line(which string, number, size int, about string) {
	fmt.Fprintf(p.out, "%s #%d", which, number)
	if size > 0 {
		fmt.Fprintf(p.out, " %d bytes", size)
	}
	p.about(about)
}

// about prints text and ends the line.
func (p *printer) about(text string) {
	if text != "" {
		fmt.Fprintf(p.out, ": %s", text)
	}
	p.out.WriteByte('\n')
}
