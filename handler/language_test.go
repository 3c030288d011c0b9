package handler

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.starlark.net/syntax"
)

// TestLanguage runs programs that check themselves. Rewritten operations must do what the
// language defines.
func TestLanguage(t *testing.T) {
	for _, check := range []string{
		"1 + 2 == 3 and a + b == 12 and a - b == -2 and a * b == 35 and b // a == 1 and b % a == 2",
		"a << 3 == 40 and (a | b) == 7 and (a & b) == 5 and (a ^ b) == 2 and a >> 1 == 2 and -a == -5 and ~a == -6",
		"a / b < 1 and 1.5 + a == 6.5 and a * 1.5 == 7.5",
		"s + s == 'abcabc' and s * 2 == 'abcabc' and 2 * s == s + s and '%s-%d' % (s, a) == 'abc-5' and '%r' % s == '\"abc\"'",
		"s[0] == 'a' and s[-1] == 'c' and s[1:] == 'bc' and s[:-1] == 'ab' and s[::-1] == 'cba' and s[5:] == '' and s[-9:2] == 'ab'",
		"(p[0] << 8 | p[1]) == p.u16(0) and p.u16(0) * 2 - p.u16(0) == p.u16(0) and (p[0] & 15) * 4 == 20 and len(p) > p[0] and (p.u32(12) % 256) == 1 and (p[1] << 9) == 0",
		"l + [4] == [1, 2, 3, 4] and l * 2 == [1, 2, 3, 1, 2, 3] and l[1:] == [2, 3] and l[::-1] == [3, 2, 1] and l[-1] == 3",
		"(a, b) == (5, 7) and (a, b)[1] == 7 and (a,) + (b,) == (a, b) and (a, b) < (a, 8) and (1, 2, 3)[::2] == (1, 3)",
		"d['x'] == 1 and d.get('y') == None and d.get('y', 9) == 9 and 'x' in d and 'y' not in d and d | {'z': 2} == {'x': 1, 'z': 2}",
		"2 in l and 4 not in l and 'b' in s and b in (5, 7) and a in [a] and 3 in range(5)",
		"s == 'abc' and s != t and s < t and not s > t and s <= t and t >= s and l == [1, 2, 3] and l != [1]",
		"d.keys() == ['x'] and d.values() == [1] and d.items() == [('x', 1)]",
		"s.upper() == 'ABC' and ','.join(['a', 'b']) == 'a,b' and 'a b'.split() == ['a', 'b'] and 'a,b'.split(',') == ['a', 'b'] and s.replace('b', 'x') == 'axc'",
		"'{} {x}'.format(1, x=2) == '1 2' and s.startswith('ab') and s.find('c') == 2 and ' a '.strip() == 'a' and 'a=b'.partition('=') == ('a', '=', 'b')",
		"list(s.elems()) == ['a', 'b', 'c'] and s.elem_ords() == [97, 98, 99] and 'a\\nb'.splitlines() == ['a', 'b']",
		"list(range(3)) == [0, 1, 2] and tuple(l) == (1, 2, 3) and dict([('a', 1)], b=2) == {'a': 1, 'b': 2} and dict(d) == d",
		"sorted([3, 1, 2]) == l and sorted(l, reverse=True) == [3, 2, 1] and sorted(l, key=lambda x: -x) == [3, 2, 1] and max(l) == 3 and min(3, 2) == 2 and max(l, key=lambda x: -x) == 1",
		"reversed(l) == [3, 2, 1] and zip(l, s.elems()) == [(1, 'a'), (2, 'b'), (3, 'c')] and enumerate(['a'], 5) == [(5, 'a')] and any([0, 1]) and not all([0, 1])",
		"int('0x10', 16) == 16 and int('7') == 7 and str(a) == '5' and repr(s) == '\"abc\"' and str(l) == '[1, 2, 3]' and chr(97) == 'a' and ord('a') == 97",
		"len(l) == 3 and type(s) == 'string' and type(p) == 'packet' and bool(l) and abs(-3) == 3 and float('1.5') == 1.5",
		"[x * 2 for x in l if x != 2] == [2, 6] and {x: x for x in l}[3] == 3 and (a if a < b else b) == 5",
		"bytes([1, 2]) == b'\\x01\\x02' and bytes('ab') == b'ab' and b'ab' + b'c' == b'abc' and b'ab'[0] == b'a' and b'ab'.elems() == [97, 98] and b'abc'[1:] == b'bc'",
		"len(p) == 84 and p[0] == 0x45 and p[-1] == 0x37 and p[0:2] == b'\\x45\\x00' and p[12:16] != p[16:20] and p.u16(2) == 84 and p.u32(12) == 0x0a4d0001",
		"p.copy() == p and p.copy() != packet(84) and packet(3)[1] == 0 and packet(p[0:20])[0] == 0x45 and packet([1, 2]) == packet(b'\\x01\\x02') and len(packet(0)) == 0 and not packet(0)",
		"[x for x in packet(b'\\x01\\x02')] == [1, 2] and p[0:4:2] == bytes([p[0], p[2]]) and b'\\x0a\\x4d' in p and 0x45 in p and p[0:1] + p == b'E' + bytes(p)",
		"checksum(fix(p)[0:20]) == 0 and checksum(b'') == 0xffff and checksum(p) == checksum(p[0:84])",
	} {
		source := "def handle(p):\n" +
			"  a, b, s, t, l, d = 5, 7, 'abc', 'abd', [1, 2, 3], {'x': 1}\n" +
			"  if not (" + check + "):\n    fail('no')\n"
		if _, _, err := mustLoad(t, source, Options{Fix: true}).Handle(unhex(t, request)); err != nil {
			t.Errorf("%s: %v", check, err)
		}
	}
}

// Assignments do what the language defines, and evaluate each operand once.
func TestStatements(t *testing.T) {
	for name, body := range map[string]string{
		"number":     "x = 1\nx += 2\nx *= 5\nx -= 1\nx <<= 2\nx |= 1\nx %= 50\nx //= 2\nx ^= 1\nx >>= 1\nx &= 3\nif x != 1: fail(x)",
		"variables":  "y = 2\nx = 1\nx += y\nx -= y * 4\nif x != -5: fail(x)",
		"list":       "l = [1]\nm = l\nl += [2]\nl += range(2)\nif m != [1, 2, 0, 1]: fail(m)",
		"dict":       "d = {1: 1}\ne = d\nd |= {2: 2}\nif e != {1: 1, 2: 2}: fail(e)",
		"element":    "l = [1, 2]\ni = 1\nl[i] += i\nl[0] += 5\nl[-1] *= 3\nif l != [6, 9]: fail(l)",
		"entry":      "d = {'a': 'x'}\nd['a'] += 'y'\nif d != {'a': 'xy'}: fail(d)",
		"once":       "calls = []\ndef f():\n  calls.append(1)\n  return 0\nl = [1]\ny = 2\nl[f()] += y\nif len(calls) != 1 or l != [3]: fail(calls, l)",
		"swap":       "a, b = 1, 2\na, b = b, a\n[c, d] = [a, b]\n(e, f) = (a, b)\nif (a, b, c, d, e, f) != (2, 1, 2, 1, 2, 1): fail(a, b)",
		"swap bytes": "p[0], p[1] = p[1], p[0]\nif p[1] != 0x45: fail(p[1])",
		"loop":       "s = 0\nfor i, (j, k) in enumerate([(1, 2), (3, 4)]):\n  if i == 5: break\n  s += i * j * k\nif s != 12: fail(s)",
		"closure":    "n = [0]\ndef f(by=2):\n  n[0] += by\nf()\nf(3)\nif n != [5]: fail(n)",
		"methods":    "l = [3, 1]\nl.append(2)\nl.extend([5])\nl.insert(0, 9)\nif l.pop() != 5 or l.index(1) != 2: fail(l)\nl.remove(9)\nif l != [3, 1, 2]: fail(l)\nd = {}\nd.update(a=1)\nd.update([('b', 2)])\nd.update({'c': 3})\nif d.setdefault('a', 4) != 1 or d.pop('b') != 2 or d.popitem() != ('a', 1) or len(d) != 1: fail(d)",
		"packet":     "q = packet(4)\nq.put16(0, 0x1234)\nq[2] = 0x56\nq.append(b'ab')\nq.put(3, b'xy')\nq.swap(0, 1, 1)\nq.cut(5)\nif q != packet(b'\\x34\\x12Vxy'): fail(q[:])\nq.put32(0, 0xdeadbeef)\nif q.u32(-5) != 0xdeadbeef: fail(q[:])",
	} {
		t.Run(name, func(t *testing.T) {
			source := "def handle(p):\n  " + strings.ReplaceAll(body, "\n", "\n  ") + "\n"
			if _, _, err := mustLoad(t, source, Options{}).Handle(unhex(t, request)); err != nil {
				t.Error(err)
			}
		})
	}
}

// An index of a name that always holds a packet stays native. One of a name that may hold a
// string does not, because a part of a string would keep the whole alive.
func TestInfer(t *testing.T) {
	for source, native := range map[string]bool{
		"def handle(p):\n  return p[0]":                                                       true,
		"def handle(p):\n  return f(p)\ndef f(q):\n  return q[0]":                             true,
		"def handle(p):\n  q = p.copy()\n  return q[0]":                                       true,
		"def handle(p):\n  q = packet(3)\n  return q[0]":                                      true,
		"def handle(p):\n  q = p\n  r = q\n  return r[0]":                                     true,
		"def handle(p):\n  p = 'x'\n  return p[0]":                                            false,
		"def handle(p):\n  p += 'x'\n  return p[0]":                                           false,
		"def handle(p):\n  p, q = p, 1\n  return p[0]":                                        false,
		"def handle(p):\n  for p in []: pass\n  return p[0]":                                  false,
		"def handle(p):\n  return [p[0] for p in ['x']]":                                      false,
		"def handle(p):\n  return (lambda p: p[0])('x')":                                      false,
		"def handle(p):\n  def p(): pass\n  return p[0]":                                      false,
		"def handle(p):\n  return [0]\ndef tick(p):\n  return p[0]":                           false,
		"def handle(p):\n  return f('x') if p else 1\ndef f(q):\n  return q[0]":               false,
		"def handle(p):\n  return f(q='x')\ndef f(q):\n  return q[0]":                         false,
		"def handle(p):\n  g = f\n  return f(p)\ndef f(q):\n  return q[0]":                    false,
		"def handle(p):\n  state['f'] = f\ndef f(q):\n  return q[0]":                          false,
		"def f(q):\n  return q[0]\ndef handle(p):\n  q = p[0:3]\n  return f(q)":               false,
		"def handle(p):\n  return p[0]\ndef g(p):\n  return handle('x')":                      false,
		"def packet(n):\n  return 'x'\ndef handle(p):\n  q = packet(3)\n  return q[0]":        false,
		"def handle(p):\n  q = 'x'\n  if p:\n    q = p\n  return q[0]":                        false,
		"def f(q):\n  return g(q)\ndef g(r):\n  return r[0]\ndef handle(p):\n  return f('x')": false,
		"def handle(p):\n  return max([1], key=f)\ndef f(q):\n  return q[0]":                  false,
		"def f(q):\n  return q[0]\ndef handle(p):\n  return (lambda: f('x'))()":               false,
		"def f(q='x'):\n  return q[0]\ndef handle(p):\n  return f()":                          false,
		"if True:\n  def f(q):\n    return q[0]\ndef handle(p):\n  return f('x')":             false,
		"def f(q):\n  return q[0]\ndef f(q):\n  return q[1]\ndef handle(p):\n  return f('x')": false,
	} {
		file, err := (&syntax.FileOptions{TopLevelControl: true, GlobalReassign: true}).Parse("x", source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := rewrite(file, func(string) bool { return false }); err != nil {
			t.Fatal(err)
		}
		found := 0
		syntax.Walk(file, func(n syntax.Node) bool {
			if _, ok := n.(*syntax.IndexExpr); ok {
				if !strings.Contains(source, "state[") {
					found++
				}
			}
			return true
		})
		if (found > 0) != native {
			t.Errorf("%q: %d native indexes", source, found)
		}
	}
}

// fix and checksum exist only with Options.Fix.
func TestFix(t *testing.T) {
	data := unhex(t, request)
	const source = "def handle(p):\n  p.swap(12, 16, 4)\n  p[20] = 0\n  p.append(b'ab')\n  p.put16(22, 0)\n  return [fix(p)]"
	packets, _, err := mustLoad(t, source, Options{Fix: true}).Handle(data)
	if err != nil || len(packets) != 1 || len(packets[0]) != 86 || packets[0][3] != 86 {
		t.Errorf("%x, %v", packets, err)
	}
	for _, name := range []string{"fix", "checksum"} {
		_, err := Load("def handle(p):\n  return ["+name+"(p)]", Options{})
		if err == nil || !strings.Contains(err.Error(), "assist does not allow it") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// None passes the packet on, [] drops it, and a list is sent in order.
func TestOutcomes(t *testing.T) {
	data := unhex(t, request)
	for result, want := range map[string]string{
		"None": "[] false", "[]": "[] true", "()": "[] true", "[p[0:2]]": "[4500] true", "(p[0:1], p[1:2])": "[45 00] true",
		"[packet(2)]": "[0000] true",
	} {
		packets, taken, err := mustLoad(t, "def handle(p):\n  return "+result, Options{}).Handle(data)
		if got := fmt.Sprintf("%x %v", packets, taken); got != want || err != nil {
			t.Errorf("%s: %s, %v", result, got, err)
		}
	}
	if _, taken, err := mustLoad(t, "def handle(p):\n  p[0] = 0", Options{}).Handle(data); taken || err != nil {
		t.Errorf("no return statement: %v %v", taken, err)
	}
}

// state lives as long as the handler, and tick gets the time.
func TestStateAndTick(t *testing.T) {
	h := mustLoad(t, `
state["seen"] = []
def handle(p):
    state["seen"].append(p[0:1])
    state["n"] = state.get("n", 0) + 1
    log("packet", state["n"])
    return []
def tick(ms):
    if ms >= 200 and state["seen"]:
        return [state["seen"].pop(0)]
`, Options{})
	if !h.HasTick() {
		t.Fatal("no tick")
	}
	for i := range 60 {
		if _, taken, err := h.Handle([]byte{byte(i), 2}); err != nil || !taken {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"[]", "[]", "[00]", "[01]"} {
		packets, err := h.Tick(time.Duration(i) * TickEvery)
		if got := fmt.Sprintf("%x", packets); got != want || err != nil {
			t.Errorf("tick %d: %s, %v", i, got, err)
		}
	}
	if lines := h.Log(); len(lines) != 50 || lines[0] != "packet 11" || lines[49] != "packet 60" {
		t.Errorf("%q", lines)
	}
}

// An error names the file, line and column, shows the line with a mark, and says what is
// accepted.
func TestFaults(t *testing.T) {
	for source, want := range map[string]string{
		"def handle(p):\n    x = p.u8(3)\n": "x.star:2:11: a packet has no u8; accepted: len(p), p[i], p[a:b], " + packetMethods +
			"\n        x = p.u8(3)\n              ^",
		"def handle(p):\n  return help(p)\ndef help(q):\n  return q + 1": "x.star:4:12: unknown binary op: packet + int\n      return q + 1\n               ^\ncalled from x.star:2:14 in handle",
		"def handle(p):\n  q = p[100]":                                   "x.star:2:8: packet index 100 out of range [-84:83]\n      q = p[100]\n           ^",
		"def handle(p):\n  p[100] = 1":                                   "x.star:2:4: packet index 100 out of range [-84:83]\n      p[100] = 1\n       ^",
		"def handle(p):\n  p[0] = 300":                                   "x.star:2:4: p[0] = 300; accepted: a number from 0 to 0xff (& 0xff keeps the low bits)\n      p[0] = 300\n       ^",
		"def handle(p):\n  retrun p":                                     "x.star:2:11: got identifier, want newline\n      retrun p\n              ^",
		"def handle(p):\n  while True: pass":                             "x.star:2:3: while is not accepted: use for i in range(n) with break\n      while True: pass\n      ^",
		"import struct":                                                  "x.star:1:1: import is not accepted: there are no modules; a packet has len(p), p[i], p[a:b], " + packetMethods + "\n    import struct\n    ^",
		"def handle(p):\n  try:\n    pass":                               "x.star:2:3: try is not accepted: errors cannot be caught, so check first, for instance len(p) or d.get(key)\n      try:\n      ^",
		"def handle(p):\n  return p is None":                             "x.star:2:14: is is not accepted: use == or !=\n      return p is None\n                 ^",
		"def handle(p):\n  log(f'{p[0]}')":                               "x.star:2:16: f-strings are not accepted: write \"%d\" % x\n      log(f'{p[0]}')\n                   ^",
		"def handle(p):\n  return f\"{p[0]}\"":                           "x.star:2:19: f-strings are not accepted: write \"%d\" % x\n      return f\"{p[0]}\"\n                      ^",
		"def handle(p):\n  return leaf'{p[0]}'":                          "x.star:2:22: got string literal, want newline\n",
		"def handle(p: bytes):\n  pass":                                  "x.star:1:14: types are not accepted: give only the names of the parameters\n    def handle(p: bytes):\n                 ^",
		"def handle(p) -> list:\n  pass":                                 "x.star:1:16: types are not accepted: give only the names of the parameters\n    def handle(p) -> list:\n                   ^",
		"def handle(p):\n  assert(p)":                                    "x.star:2:3: there is no assert: use if and fail(...)\n      assert(p)\n      ^",
		"load('a', 'b')":                                                 "x.star:1:1: load is not accepted: a handler is one file\n    load('a', 'b')\n    ^",
		"def handle(p):\n  return p.data":                                "x.star:2:12: .data without a call: write x.data(...); values have methods, not fields\n      return p.data\n               ^",
		"def handle(p):\n  p.ttl = 3":                                    "x.star:2:5: cannot assign to .ttl: values have methods, not fields; use a dict\n      p.ttl = 3\n        ^",
		"def handle(p):\n  f(*p)":                                        "x.star:2:5: * and ** are not accepted in calls: give each argument\n      f(*p)\n        ^",
		"def handle(*p): pass":                                           "x.star:1:12: * and ** are not accepted in parameters: name each of them\n    def handle(*p): pass\n               ^",
		"def handle(p):\n  return getattr(p, 'u16')":                     "x.star:2:10: there is no getattr: write x.name(...)\n      return getattr(p, 'u16')\n             ^",
		"def handle(p, q): pass":                                         "x.star:1:1: handle takes 2 parameters; accepted: one, def handle(p)\n    def handle(p, q): pass\n    ^",
		"x = 1":                                                          "the program does not define handle; accepted: def handle(p): ... that returns None (the agent gets the packet), [] (drop it) or a list of packets to send",
		"handle = 1":                                                     "handle is of type int; accepted: a function, def handle(p)",
		"def handle(p): pass\ntick = 3":                                  "tick is of type int; accepted: a function, def tick(ms)",
		"state = {}\ndef handle(p): pass":                                "the program assigns state, which already exists: a dict that lives as long as the handler; set its entries with state[key] = value",
		"seen = []\ndef handle(p):\n  seen.append(p[0])":                 "x.star:3:8: cannot append to frozen list: globals are constant after loading; keep values that change in state\n      seen.append(p[0])\n           ^",
		"def handle(p):\n  return 7 + None":                              "x.star:2:12: unknown binary op: int + NoneType\n      return 7 + None\n               ^",
		"def handle(p):\n  return state['x']":                            "x.star:2:15: key \"x\" is not in the dict; x.get(key) returns None for a missing key\n      return state['x']\n                  ^",
		"def handle(p):\n  return 'x'.nope()":                            "x.star:2:14: a string has no nope; accepted: capitalize, codepoint_ords",
		"def handle(p):\n  return {}.nope()":                             "x.star:2:13: a dict has no nope; accepted: clear, get, items, keys, pop, popitem, setdefault, update, values",
		"def handle(p):\n  return [1].nope()":                            "x.star:2:14: a list has no nope; accepted: append, clear, extend, index, insert, pop, remove",
		"def handle(p):\n  return unknown":                               "x.star:2:10: there is no unknown; accepted: False, None, True, abs, all, any, bool, bytes, chr, dict",
		"def handle(p):\n  fail('odd', 3)":                               "x.star:2:7: fail: odd 3\n      fail('odd', 3)\n          ^",
		"def handle(p):\n  # \x80":                                       "the source is not UTF-8 at byte 19; accepted: UTF-8 text",
		"  \n":                                                           "the source is empty; accepted: a Starlark program that defines handle(p)",
		strings.Repeat("#", 64<<10+1):                                    "the source has 65537 bytes; accepted: at most 65536",
		strings.Repeat("#", 1<<20):                                       "the source has 1048576 bytes; accepted: at most 65536",
	} {
		h, err := Load(source, Options{Name: "x.star"})
		if err == nil {
			_, _, err = h.Handle(unhex(t, request))
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.60q:\n%v\nwant\n%s", source, err, want)
		}
	}
}

// Each limit can be set.
func TestLimits(t *testing.T) {
	data := unhex(t, request)
	const loop = "def handle(p):\n  for i in range(500):\n    pass\n  return ['x' * 5000 and p]"
	for want, limits := range map[string]Limits{
		"":                          {},
		"accepted: at most 20":      {Source: 20},
		"over 1000 steps":           {Steps: 1000},
		"over 4096 bytes of memory": {Memory: 8192},
		"took over 1ns":             {Time: 1},
	} {
		h, err := Load(loop, Options{Limits: limits})
		if err == nil {
			_, _, err = h.Handle(data)
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: %v", limits, err)
		}
	}
}

// A program whose state was too large works again after it has freed memory.
func TestFreedMemory(t *testing.T) {
	h := mustLoad(t, "def handle(p):\n  if p[0] == 0:\n    state.clear()\n  else:\n    state[len(state)] = 'x' * 500000\n  return []", Options{})
	failed := 0
	for range 100 {
		if _, taken, err := h.Handle([]byte{1}); err != nil {
			if failed++; taken || !strings.Contains(err.Error(), "hold") {
				t.Fatal(err)
			}
			break
		}
	}
	if failed == 0 {
		t.Fatal("50 MB fit into a limit of 16 MiB")
	}
	if _, _, err := h.Handle([]byte{0}); err != nil {
		t.Errorf("while freeing memory: %v", err)
	}
	if _, _, err := h.Handle([]byte{1}); err != nil {
		t.Error(err)
	}
}

// A run does not change a copy that an earlier run returned.
func TestRunsShareNoBytes(t *testing.T) {
	h := mustLoad(t, "q = packet(4)\ndef handle(p):\n  c = q.copy()\n  c[0] = p[0]\n  return [c, p]", Options{})
	first, _, err := h.Handle([]byte{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	kept := bytes.Clone(first[0])
	if _, _, err := h.Handle([]byte{9, 9}); err != nil || !bytes.Equal(kept, first[0]) {
		t.Errorf("%x, %x, %v", kept, first[0], err)
	}
	if _, _, err := mustLoad(t, "q = packet(4)\ndef handle(p):\n  q[0] = 1", Options{}).Handle([]byte{1}); err == nil || !strings.Contains(err.Error(), "frozen") {
		t.Errorf("a global packet was changed: %v", err)
	}
}
