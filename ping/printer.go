package ping

import (
	"fmt"
	"io"
	"strconv"
	"time"
)

// A Printer prints a run the way iputils' ping does.
type Printer struct {
	Out, Err io.Writer
	Config   Config
}

// Head prints the first line.
func (p *Printer) Head() {
	if p.Config.To.Is4() {
		fmt.Fprintf(p.Out, "PING %s (%[1]s) %d(%d) bytes of data.\n", p.Config.To, p.Config.Size, p.Config.Size+28)
	} else {
		fmt.Fprintf(p.Out, "PING %s (%[1]s) %d data bytes\n", p.Config.To, p.Config.Size)
	}
}

// dots reports whether each message is one character instead of one line.
func (p *Printer) dots() bool { return p.Config.Flood && !p.Config.Quiet }

// Sent implements Reporter.
func (p *Printer) Sent() {
	if p.dots() {
		io.WriteString(p.Out, ".")
	}
}

// Unsent implements Reporter.
func (p *Printer) Unsent(err error) {
	switch {
	case p.dots():
		io.WriteString(p.Out, "E")
	case !p.Config.Quiet:
		fmt.Fprintf(p.Err, "ping: %v\n", err)
	}
}

// Silent implements Reporter.
func (p *Printer) Silent() {
	fmt.Fprintln(p.Err, "ping: no reply yet: is the agent reading? It answers only while its client is running it; -W SECONDS waits longer for the first reply")
}

// Reply implements Reporter.
func (p *Printer) Reply(r Reply) {
	if p.Config.Quiet {
		return
	}
	if p.dots() {
		if r.BadChecksum {
			io.WriteString(p.Out, "\bC")
		} else if !r.Stray {
			io.WriteString(p.Out, "\b \b")
		}
		return
	}
	line := fmt.Appendf(nil, "%d bytes from %s: icmp_seq=%d", len(r.Data)+8, r.From, r.Seq)
	if r.TTL > 0 {
		line = fmt.Appendf(line, " ttl=%d", r.TTL)
	}
	line = append(line, verdict(r)...)
	p.Out.Write(append(line, '\n'))
}

// verdict returns the rest of a reply's line: its time, and what is wrong with
// it.
func verdict(r Reply) string {
	if r.Stray {
		return " (NEVER SENT!)"
	}
	text := " time=" + tripTime(r.RTT) + " ms"
	if r.Duplicate {
		text += " (DUP!)"
	}
	if r.BadChecksum {
		text += " (BAD CHECKSUM!)"
	}
	if r.Elsewhere {
		text += " (DIFFERENT ADDRESS!)"
	}
	switch {
	case r.Truncated():
		text += fmt.Sprintf(" (truncated: %d of %d bytes)", len(r.Data), len(r.Want))
	case len(r.Data) > len(r.Want):
		text += fmt.Sprintf(" (too long: %d bytes more than were sent)", len(r.Data)-len(r.Want))
	}
	if r.Wrong >= 0 {
		text += fmt.Sprintf("\nwrong data byte #%d should be 0x%x but was 0x%x", r.Wrong, r.Want[r.Wrong], r.Data[r.Wrong])
		text += dump(r.Data)
	}
	return text
}

// dump returns the payload in hex, 32 bytes a line.
func dump(data []byte) string {
	const most = 256 // the rest of a long payload adds nothing
	var text []byte
	for i, b := range data[:min(len(data), most)] {
		if i%32 == 0 {
			text = fmt.Appendf(text, "\n#%d\t", i)
		}
		text = fmt.Appendf(text, "%x ", b)
	}
	if len(data) > most {
		text = fmt.Appendf(text, "\n+ %d more bytes", len(data)-most)
	}
	return string(text)
}

// Error implements Reporter.
func (p *Printer) Error(m Message) {
	switch {
	case p.dots():
		io.WriteString(p.Out, "\bE")
	case !p.Config.Quiet:
		fmt.Fprintf(p.Out, "From %s icmp_seq=%d %s\n", m.From, m.Seq, errorText(m))
	}
}

// Done implements Reporter.
func (p *Printer) Done(s Statistics) {
	fmt.Fprintf(p.Out, "\n--- %s ping statistics ---\n%d packets transmitted, %d received", p.Config.To, s.Sent, s.Received)
	for _, count := range []struct {
		n    int
		what string
	}{{s.Duplicates, "duplicates"}, {s.Corrupted, "corrupted"}, {s.Errors, "errors"}} {
		if count.n > 0 {
			fmt.Fprintf(p.Out, ", +%d %s", count.n, count.what)
		}
	}
	if s.Sent > 0 {
		loss := strconv.FormatFloat(s.Loss(), 'g', 6, 64)
		fmt.Fprintf(p.Out, ", %s%% packet loss, time %dms", loss, s.Took.Round(time.Millisecond).Milliseconds())
	}
	fmt.Fprintln(p.Out)
	comma := ""
	if s.Received > 0 {
		fmt.Fprintf(p.Out, "rtt min/avg/max/mdev = %s/%s/%s/%s ms", milli(s.Min), milli(s.Average()), milli(s.Max), milli(s.Deviation()))
		comma = ", "
	}
	if s.Pipe > 1 {
		fmt.Fprintf(p.Out, "%spipe %d", comma, s.Pipe)
		comma = ", "
	}
	if s.Received > 0 && s.Sent > 1 && (p.Config.Flood || p.Config.Interval == 0) {
		fmt.Fprintf(p.Out, "%sipg/ewma %s/%s ms", comma, milli(s.Gap()), milli(s.Smooth))
	}
	fmt.Fprintln(p.Out)
}

// milli formats d in milliseconds with three decimals, truncated, not rounded.
func milli(d time.Duration) string {
	us := d.Microseconds()
	return fmt.Sprintf("%d.%03d", us/1000, us%1000)
}

// tripTime formats d in milliseconds with three significant digits, or more if
// the integer part is longer.
func tripTime(d time.Duration) string {
	us := d.Microseconds()
	switch {
	case us >= 100000-50:
		return fmt.Sprint((us + 500) / 1000)
	case us >= 10000-5:
		return fmt.Sprintf("%d.%01d", (us+50)/1000, (us+50)%1000/100)
	case us >= 1000:
		return fmt.Sprintf("%d.%02d", (us+5)/1000, (us+5)%1000/10)
	}
	return fmt.Sprintf("%d.%03d", us/1000, us%1000)
}
