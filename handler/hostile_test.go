package handler

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// hostile has programs that try to bring the server down: with time, with steps, with memory
// in one run, and with memory that they keep. want is a pattern of the error for the agent,
// or "" if the program stays within its limits.
var hostile = []struct{ name, source, want string }{
	{"endless loop", "def handle(p):\n  for i in range(1 << 60):\n    pass", "steps"},
	{"endless loop at the top level", "for i in range(1 << 60):\n  pass\ndef handle(p): pass", "steps"},
	{"endless loop within loops", "def handle(p):\n  for i in range(1 << 60):\n    for j in range(1 << 60):\n      p[0] = 1", "steps"},
	{"loop of a builtin", "def handle(p):\n  all(range(1, 1 << 60))", "steps"},
	{"sum of a builtin", "def handle(p):\n  max(range(1, 1 << 60))", "steps"},
	{"string doubled", "def handle(p):\n  s = 'x'\n  for i in range(60):\n    s = s + s", "memory"},
	{"string doubled in place", "def handle(p):\n  s = 'x'\n  for i in range(60):\n    s += s", "memory"},
	{"bytes doubled", "def handle(p):\n  s = p[0:20]\n  for i in range(60):\n    s += s", "memory"},
	{"bytes and packet", "def handle(p):\n  s = p[0:20]\n  for i in range(1 << 20):\n    s = s + p", "memory"},
	{"string doubled by join", "def handle(p):\n  s = 'x'\n  for i in range(60):\n    s = s.join([s, s])", "memory"},
	{"string doubled by replace", "def handle(p):\n  s = 'x' * 1000\n  for i in range(60):\n    s = s.replace('x', s)", "memory"},
	{"string doubled by replacing the empty string", "def handle(p):\n  s = 'x' * 1000\n  for i in range(60):\n    s = s.replace('', s)", "memory"},
	{"string doubled by format", "def handle(p):\n  s = 'x'\n  for i in range(60):\n    s = '{0}{0}'.format(s)", "text"},
	{"string doubled by %", "def handle(p):\n  s = 'x'\n  for i in range(60):\n    s = '%s%s' % (s, s)", "text"},
	{"string doubled by repr", "def handle(p):\n  s = '\"'\n  for i in range(60):\n    s = repr(s)", "memory"},
	{"string repeated", "def handle(p):\n  return 'x' * (1 << 30)", "memory"},
	{"string repeated, operands swapped", "def handle(p):\n  return (1 << 30) * 'x'", "memory"},
	{"string repeated by a long number", "def handle(p):\n  return 'x' * (1 << 500)", "memory"},
	{"string repeated in place", "def handle(p):\n  s = 'x'\n  s *= 1 << 30", "memory"},
	{"list repeated", "def handle(p):\n  return [0] * (1 << 30)", "memory"},
	{"tuple repeated", "def handle(p):\n  return (0,) * (1 << 27)", "memory"},
	{"bytes repeated", "def handle(p):\n  return [p[0:20] * (1 << 26)]", "memory"},
	{"string repeated at the top level", "s = 'x' * (1 << 30)\ndef handle(p): pass", "memory"},
	{"list appended to", "def handle(p):\n  l = []\n  for i in range(1 << 60):\n    l.append(i)", "steps"},
	{"list of dicts", "def handle(p):\n  l = []\n  for i in range(1 << 60):\n    l.append({})", "steps"},
	{"list of dicts at the top level", "l = []\nfor i in range(1 << 60):\n  l.append({})\ndef handle(p): pass", "memory"},
	{"list of dict displays", "def handle(p):\n  return [[" + strings.Repeat("{},", 5000) + "] for i in range(1 << 60)]", "memory"},
	{"list of dict comprehensions", "def handle(p):\n  return [{1: 1 for k in range(1)} for i in range(1 << 60)]", "steps"},
	{"list of functions", "def handle(p):\n  return [lambda: i for i in range(1 << 60)]", "steps"},
	{"list extended by itself", "def handle(p):\n  l = [1]\n  for i in range(60):\n    l.extend(l)", "steps|memory"},
	{"list doubled", "def handle(p):\n  l = [1]\n  for i in range(60):\n    l = l + l", "memory"},
	{"list doubled in place", "def handle(p):\n  l = [1]\n  for i in range(60):\n    l += list(l)", "steps|memory"},
	{"list sliced", "def handle(p):\n  l = [1] * 1000\n  return [l[:] for i in range(1 << 60)]", "memory"},
	{"list of a range", "def handle(p):\n  return list(range(1 << 60))", "steps"},
	{"packets made", "def handle(p):\n  return [packet(65535) for i in range(1 << 60)]", "memory"},
	{"packets copied", "def handle(p):\n  p.append(packet(60000))\n  return [p.copy() for i in range(1 << 60)]", "memory"},
	{"packet appended to", "def handle(p):\n  for i in range(1 << 60):\n    p.append(p)", "65535"},
	{"number multiplied", "def handle(p):\n  n = 3\n  for i in range(60):\n    n *= n", "bits"},
	{"number shifted", "def handle(p):\n  n = 3\n  for i in range(1 << 60):\n    n = n << 500", "bits"},
	{"number shifted in place", "def handle(p):\n  n = 3\n  for i in range(1 << 60):\n    n <<= 500", "bits"},
	{"number subtracted", "def handle(p):\n  n = -3\n  for i in range(1 << 60):\n    n = n - (0 - n)", "bits"},
	{"number of packets shifted", "def handle(p):\n  n = 0\n  for i in range(1 << 60):\n    n = (n + (p[0] << 400)) * (p[0] << 400)", "bits"},
	{"number of packets added", "def handle(p):\n  n = p[0]\n  l = []\n  for i in range(1 << 60):\n    n += p[0] << 500 << 3\n    l.append(n)", "steps"},
	{"text multiplied by a byte", "def handle(p):\n  s = 'xx'\n  for i in range(60):\n    s = s * p[0]", "memory"},
	{"number of text", "def handle(p):\n  return int('9' * 100000)", "characters"},
	{"number of digits", "x = " + strings.Repeat("9", 60000) + "\ndef handle(p): pass", "bits"},
	{"tuples of tuples", "def handle(p):\n  t = (1, 1)\n  for i in range(60):\n    t = (t, t)\n  state[t] = 1", "tuple"},
	{"tuples of tuples at the top level", "t = (1, 1)\nfor i in range(60):\n  t = (t, t)\ndef handle(p): pass", "tuple"},
	{"tuples of tuples by hand", "def f(a):\n  return a, a\ndef handle(p):\n  t = (1, 1)\n  for i in range(60):\n    t = f(t)", "tuple"},
	{"tuples of tuples by zip", "def handle(p):\n  t = (1, 1)\n  for i in range(60):\n    t = zip([t], [t])[0]", "tuple"},
	{"tuples of tuples by items", "def handle(p):\n  t = (1, 1)\n  for i in range(60):\n    t = {t: t}.items()[0]", "tuple"},
	{"tuples of tuples by popitem", "def handle(p):\n  t = (1, 1)\n  for i in range(60):\n    t = {t: t}.popitem()", "tuple"},
	{"tuple of long strings", "def handle(p):\n  s = 'x' * 1000000\n  t = (s, s, s, s)\n  state[t]", "tuple"},
	{"lists of lists compared", "def tree():\n  t = [1, 1]\n  for i in range(8):\n    t = [t] * 50\n  return t\ndef handle(p):\n  return tree() == tree()", "compared"},
	{"lists of lists searched", "def tree():\n  t = [1, 1]\n  for i in range(8):\n    t = [t] * 50\n  return t\ndef handle(p):\n  return tree() in [tree()]", "compared"},
	{"lists of lists sorted", "def tree():\n  t = [1, 1]\n  for i in range(8):\n    t = [t] * 50\n  return t\ndef handle(p):\n  return sorted([tree(), tree()])", "compared"},
	{"lists of lists found", "def tree():\n  t = [1, 1]\n  for i in range(8):\n    t = [t] * 50\n  return t\ndef handle(p):\n  return [tree()].index(tree())", "compared"},
	{"lists of lists shown", "def handle(p):\n  t = [1, 1]\n  for i in range(12):\n    t = [t] * 50\n  log(t)", "text"},
	{"lists within lists", "def handle(p):\n  t = []\n  for i in range(20000):\n    t = [t]\n  log(t)", "steps"},
	{"lists within lists at the top level", "t = []\nfor i in range(100000):\n  t = [t]\ndef handle(p): pass", "steps|nest"},
	{"a list in itself", "def handle(p):\n  l = []\n  l.append(l)\n  log(l)\n  return l == l", "text"},
	{"a long string searched in a list", "state['a'] = 'x' * 1000000 + 'a'\nstate['b'] = 'x' * 1000000 + 'b'\nstate['l'] = [state['a']] * 50000\ndef handle(p):\n  return state['b'] in state['l']", "compared"},
	{"long bytes found in a list", "state['a'] = bytes('x' * 1000000)\nstate['l'] = [bytes('x' * 1000001)] * 50000\ndef handle(p):\n  return state['l'].index(state['a'])", "compared"},
	{"a long packet removed from a list", "def handle(p):\n  l = [packet(65535)] * 50000\n  q = packet(65534)\n  return q.append(b'1') or l.remove(q)", "compared"},
	{"lists of long strings compared", "state['a'] = 'x' * 1000000 + 'a'\nstate['b'] = 'x' * 1000000 + 'a'\ndef handle(p):\n  return [state['a']] * 9000 == [state['b']] * 9000", "compared"},
	{"long strings sorted", "state['l'] = ['x' * 1000000 + 'a', 'x' * 1000000 + 'b'] * 5000\ndef handle(p):\n  return sorted(state['l'])", "steps|compared"},
	{"the longest string", "state['l'] = ['x' * 1000000 + 'a', 'x' * 1000000 + 'b'] * 5000\ndef handle(p):\n  return max(state['l'])", "steps|compared"},
	{"numbers sorted by long strings", "state['k'] = ['x' * 1000000 + 'a', 'x' * 1000000 + 'b']\ndef handle(p):\n  return sorted([0, 1] * 3000, key=lambda i: state['k'][i])", "steps|compared"},
	{"the least number by long strings", "state['k'] = ['x' * 1000000 + 'a', 'x' * 1000000 + 'b']\ndef handle(p):\n  return min([0, 1] * 3000, key=lambda i: state['k'][i])", "steps|compared"},
	{"a range sorted by name", "def handle(p):\n  return sorted(iterable=range(1 << 22))", "without a name"},
	{"long keys entered into a dict", "state['k'] = 'x' * 4000000\ndef handle(p):\n  return dict([[state['k'], 1]] * 7000)", "compared"},
	{"large tuples entered into a dict", "state['k'] = tuple([1] * 1000)\ndef handle(p):\n  return {}.update([(state['k'], 1)] * 7000)", "compared"},
	{"characters stripped", "def handle(p):\n  c = '\\u00e9' * 200000 + 'x'\n  return ('x' * 300000).strip(c)", "steps"},
	{"a long string found in one with the same hashes", "def handle(p):\n  return ('a' * 1000000).find('a' * 400000 + '" + sameHash() + "')", "steps"},
	{"a long string in one with the same hashes", "state['a'] = 'a' * 1500000\nstate['b'] = 'a' * 500000 + '" + sameHash() + "'\ndef handle(p):\n  return state['b'] in state['a']", "steps"},
	{"a long number of text, by name", "def handle(p):\n  return int(x='9' * 1000000)", "characters"},
	{"a long fraction of text", "def handle(p):\n  return float('0.' + '0' * 1000000)", "characters"},
	{"long lists formatted without a mark", "def handle(p):\n  l = [1] * 45000\n  for i in range(100):\n    ''.format(" + strings.Repeat("l,", 200) + ")", "steps"},
	{"checksums of long bytes", "state['b'] = bytes('x' * 1000000)\ndef handle(p):\n  for i in range(100):\n    checksum(state['b'])", "steps"},
	{"a long list popped from the front", "state['l'] = [1] * 300000\ndef handle(p):\n  for i in range(100):\n    state['l'].append(state['l'].pop(0))", "steps"},
	{"a large dict cleared", "state['d'] = {}\nfor i in range(20000):\n  state['d'][i] = 1\ndef handle(p):\n  for i in range(100):\n    state['d'].clear()", "steps"},
	{"state filled with the same tuple", "def handle(p):\n  t = (0,) * 1000\n  state['l'] = [t] * 400000", "state"},
	{"recursion", "def f(p):\n  return f(p)\ndef handle(p):\n  return f(p)", "recursion"},
	{"recursion of handle", "def handle(p):\n  return handle(p)", "recursion"},
	{"recursion by a value", "def handle(p):\n  f = lambda g: g(g)\n  f(f)", "recursion"},
	{"10,000 packets", "def handle(p):\n  return [p] * 10000", "10000 packets"},
	{"returns a function", "def handle(p):\n  return handle", "function"},
	{"returns a function in a list", "def handle(p):\n  return [handle]", "function"},
	{"returns a packet, not in a list", "def handle(p):\n  return p", "return .p."},
	{"returns a number", "def handle(p):\n  return 1", "int"},
	{"a patch outside", "def handle(p):\n  p[9000] = 1", "9000"},
	{"a patch across the end", "def handle(p):\n  p.put16(len(p) - 1, 1)", "outside"},
	{"a swap outside", "def handle(p):\n  p.swap(0, 1 << 31, 4)", "offset"},
	{"a swap of overlaps", "def handle(p):\n  p.swap(0, 2, 4)", "overlap"},
	{"a swap of a negative length", "def handle(p):\n  p.swap(0, 2, -4)", "accepted"},
	{"a cut to more than the packet", "def handle(p):\n  p.cut(9000)", "accepted"},
	{"a value that does not fit 8 bits", "def handle(p):\n  p[0] = 256", "0xff"},
	{"a value that does not fit 16 bits", "def handle(p):\n  p.put16(0, -1)", "0xffff"},
	{"state filled with strings", "def handle(p):\n  state[len(state)] = 'x' * 100000", "state"},
	{"state filled with lists", "def handle(p):\n  state[len(state)] = [0] * 10000", "state"},
	{"state filled with empty lists", "def handle(p):\n  l = [0] * 400000\n  l.clear()\n  state[len(state)] = l", "state"},
	{"state filled with emptied dicts", "def handle(p):\n  d = {}\n  for i in range(4000):\n    d[i] = i\n  d.clear()\n  state[len(state)] = d", "state"},
	{"state filled with popped lists", "def handle(p):\n  l = [0] * 400000\n  for i in range(9999):\n    l.pop()\n  state[len(state)] = l[:1]\n  state['l'] = l", "steps"},
	{"state filled with parts of strings", "def handle(p):\n  s = 'x' * 3000000\n  state[len(state)] = [s[5], s[1:3], s[::1000000]]", ""},
	{"state filled with stripped strings", "def handle(p):\n  s = ' ' * 500000 + 'x'\n  state[len(state)] = s.strip()", ""},
	{"state filled with split strings", "def handle(p):\n  s = 'x ' + 'y' * 500000\n  state[len(state)] = [s.split(' ')[0], s.partition(' ')[0], s.removesuffix('y')[:1]]", ""},
	{"state filled with elements of strings", "def handle(p):\n  s = 'x' * 30000\n  state[len(state)] = [s.elems(), s.codepoints()]", "state|memory"},
	{"state filled with cut packets", "def handle(p):\n  q = packet(65535)\n  q.cut(1)\n  state[len(state)] = q", "state"},
	{"state filled with functions", "def handle(p):\n  l = [0] * 100000\n  state[len(state)] = lambda: l", "state"},
	{"state filled with pairs", "def handle(p):\n  d = {}\n  for i in range(2000):\n    d[i] = 'x' * 100\n  state[len(state)] = d.items()[0]", ""},
	{"state filled by a nested dict", "state['d'] = {}\ndef handle(p):\n  for i in range(5000):\n    state['d'][len(state['d'])] = p[0:20]", "state"},
	{"state filled by tick", "def handle(p):\n  return []\ndef tick(ms):\n  state[len(state)] = 'x' * 100000", "state"},
	{"state nested deep", "state['l'] = []\ndef handle(p):\n  for i in range(15000):\n    state['l'] = [state['l']]", "state"},
	{"state in state", "state['s'] = state\ndef handle(p):\n  log(state)", "text"},
	{"a tick that never ends", "def handle(p):\n  return []\ndef tick(ms):\n  for i in range(1 << 60):\n    pass", "steps"},
	{"a log without end", "def handle(p):\n  for i in range(1 << 60):\n    log('x' * 1000)", "memory"},
	{"an error with a long key", "def handle(p):\n  s = 'x' * 1000000\n  return {}[s]", "is not in"},
	{"many parameters called in a loop", "def f(" + strings.Join(numbered("a", 250), ",") + "):\n  pass\ndef handle(p):\n  for i in range(1 << 60):\n    f(" + strings.Repeat("1,", 250) + ")", "steps"},
	{"a deep chain of calls", manyDeep(2500), ""},
	{"deep parentheses", "x = " + strings.Repeat("(", 60000), "nesting"},
	{"deep minuses", "x = " + strings.Repeat("-", 60000) + "1", "nesting"},
	{"a long chain of names", "def handle(p):\n  if p[0] == 1:\n    " + chain(5000), ""},
	{"a long sum", "def handle(p):\n  x = 1\n  return " + strings.Repeat("x+", 30000) + "x", "steps"},
	{"a long comparison of indexes", "def handle(p):\n  return " + strings.Repeat("p[0]", 1) + strings.Repeat("[0]", 15000), "no elements"},
	{"many elifs", "def handle(p):\n  if p[0] == 1:\n    pass\n" + strings.Repeat("  elif 1:pass\n", 4500), ""},
}

// sameHash returns ten letters that have the hash of ten times a, for the algorithm that
// searches for long strings (Rabin and Karp, in internal/bytealg).
func sameHash() string {
	const prime = 16777619
	rest := make(map[uint32]string) // the last five letters, by what they add to the hash
	for low := range 20 * 20 * 20 * 20 * 20 {
		var letters [5]byte
		var hash, above uint32
		for i, n := 0, low; i < 5; i, n = i+1, n/20 {
			letters[i] = byte('a' + n%20)
			hash = hash*prime + uint32(n%20)
		}
		rest[hash] = string(letters[:])
		above = hash * (prime * prime % (1 << 32)) // moved by five letters
		above *= prime * prime % (1 << 32)
		above *= prime
		if last, ok := rest[-above]; ok && low > 0 {
			return string(letters[:]) + last
		}
	}
	panic("none found")
}

func numbered(name string, n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(name, i))
	}
	return all
}

// chain returns assignments of each of n names to the one before, the last first.
func chain(n int) string {
	var out strings.Builder
	for i := n; i > 0; i-- {
		fmt.Fprintf(&out, "a%d=a%d;", i, i-1)
	}
	return out.String() + "a0=1\n"
}

// manyDeep returns a program of n functions, each of which calls the one before.
func manyDeep(n int) string {
	var out strings.Builder
	out.WriteString("def f0(p):pass\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&out, "def f%d(p):f%d(p)\n", i, i-1)
	}
	fmt.Fprintf(&out, "def handle(p):f%d(p)\n", n-1)
	return out.String()
}

// play runs a program on packets, with ticks in between, until ten runs in a row have failed.
// It returns the first error.
func play(source string, data []byte, packets int) error {
	// Time is generous, so that on a busy machine the limit on steps comes first.
	h, err := Load(source, Options{Fix: true, Limits: Limits{Time: 10 * time.Second}})
	if err != nil {
		return err
	}
	var first error
	failed := 0
	for i := range packets {
		_, _, err := h.Handle(data)
		if h.HasTick() {
			if _, tick := h.Tick(time.Duration(i) * TickEvery); err == nil {
				err = tick
			}
		}
		if err == nil {
			failed = 0
			continue
		}
		if first == nil {
			first = err
		}
		if failed++; failed == 10 {
			break
		}
	}
	return first
}

// Every hostile program ends soon, with an error that says why, and the process grows by
// 100 MiB at most.
func TestHostile(t *testing.T) {
	data := unhex(t, request)
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			before := resident(t)
			began := processorTime(t)
			packets := 400
			if c.want == "" { // it never fails, and a leak would show soon
				packets = 60
			}
			err := play(c.source, data, packets)
			took := processorTime(t) - began
			grown := resident(t) - before
			t.Logf("%v, %d MiB more, %v", took, grown>>20, err)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case c.want != "" && (err == nil || !regexp.MustCompile(c.want).MatchString(err.Error())):
				t.Errorf("error %v, want %q", err, c.want)
			}
			if took > 4*time.Second {
				t.Errorf("it took %v of processor time", took)
			}
			if grown > memoryScale*100<<20 {
				t.Errorf("the process has grown by %d MiB", grown>>20)
			}
		})
	}
}
