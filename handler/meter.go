package handler

import (
	"fmt"
	"time"

	"go.starlark.net/starlark"
)

// stepBytes is charged for every step of the interpreter. On average a step allocates less
// than that (an element of a list, a number, a closure), apart from what is charged in bulk.
const stepBytes = 64

// pauseEvery is the number of steps between two looks at the clock. It becomes less when a
// program makes a value of over long bytes, because a step may take longer then: the value may
// be a key, which is hashed.
const (
	pauseEvery = 1000
	long       = 1 << 16
)

// longestPause is the most that counts as running time between two looks at the clock. During
// the rest, a busy machine did not run the program.
const longestPause = 25 * time.Millisecond

// meter counts what one run of a program uses, and ends the run if that is too much. It is
// the only protection of the server's memory: every operation whose cost depends on the size
// of a value charges the meter before it acts.
type meter struct {
	limits   Limits
	thread   *starlark.Thread
	maxSteps uint64
	maxBulk  int
	bulk     int           // bytes charged in this run
	every    uint64        // steps between two looks at the clock, or 0 for pauseEvery
	looked   time.Time     // time of the last look at the clock
	ran      time.Duration // running time of this run
	stopped  error         // why the run was stopped, or nil
}

// begin starts a run.
func (m *meter) begin(steps, memory int) {
	m.maxSteps, m.maxBulk, m.bulk, m.stopped = uint64(steps), memory, 0, nil
	m.looked, m.ran = time.Now(), 0
	if m.every == 0 {
		m.every = pauseEvery
	}
	m.thread.Uncancel()
	m.thread.Steps = 0
	m.thread.SetMaxExecutionSteps(min(m.maxSteps, m.every))
}

// used returns an upper bound on the bytes that the run has allocated.
func (m *meter) used() int { return m.bulk + int(m.thread.Steps)*stepBytes }

// pause is called by the interpreter when it is time to look at the clock.
func (m *meter) pause(thread *starlark.Thread) {
	if err := m.check(); err != nil {
		thread.Cancel(err.Error())
		return
	}
	thread.SetMaxExecutionSteps(min(m.maxSteps, thread.Steps+m.every))
}

// check returns why the run must stop, or nil if it may continue.
func (m *meter) check() error {
	now := time.Now()
	m.ran += min(now.Sub(m.looked), longestPause)
	m.looked = now
	switch {
	case m.stopped != nil:
	case m.thread.Steps >= m.maxSteps:
		m.stopped = fmt.Errorf("it took over %d steps and had not ended: shorten its loops, and what it searches and sorts", m.maxSteps)
	case m.bulk > m.maxBulk:
		m.stopped = fmt.Errorf("it needs over %d bytes of memory in one run: build smaller values", m.maxBulk)
	case m.ran > m.limits.Time:
		m.stopped = fmt.Errorf("it took over %v and had not ended: do less per packet", m.limits.Time)
	}
	return m.stopped
}

// charge accounts for n bytes before they are allocated. If it returns an error, the caller
// must not allocate them.
func (m *meter) charge(n int) error {
	m.bulk += n
	if n > long {
		m.every = min(m.every, uint64(max(pauseEvery*long/min(n, m.limits.Memory), 1)))
		m.thread.SetMaxExecutionSteps(min(m.maxSteps, m.thread.Steps+m.every))
	}
	if m.bulk > m.maxBulk || n > long {
		return m.check()
	}
	return nil
}

// searchBytes is how many bytes may be compared in one step while searching.
const searchBytes = 1024

// search accounts for looking for a part, or for each of its characters, in a text: in the
// worst case, all of the part is compared at each byte of the text. A negative length counts
// as 0.
func (m *meter) search(text, part int) error {
	return m.work(int(min(uint64(max(text, 0))*uint64(max(part, 0))/searchBytes, 1<<30)))
}

// work accounts for n steps before they are taken outside the interpreter.
func (m *meter) work(n int) error {
	m.thread.Steps += uint64(n)
	if m.thread.Steps >= m.maxSteps || n > pauseEvery {
		return m.check()
	}
	return nil
}
