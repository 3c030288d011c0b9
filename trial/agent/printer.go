package agent

import (
	"bufio"
	"fmt"
	"io"
	"sync"
)

// printer shows packets, a line each, as they are read and written.
type printer struct {
	mu  sync.Mutex // guards out
	out *bufio.Writer
}

// newPrinter returns a printer that prints to out, or nothing if that is nil.
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
	for _, packet := range w.written {
		p.line("write", packet.number, packet.size, packet.about)
	}
	p.out.Flush()
}

func (p *printer) line(which string, number, size int, about string) {
	fmt.Fprintf(p.out, "%s #%d %d bytes", which, number, size)
	if about != "" {
		fmt.Fprintf(p.out, ": %s", about)
	}
	p.out.WriteByte('\n')
}
