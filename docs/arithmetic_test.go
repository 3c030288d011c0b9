package docs_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The arithmetic that guides show, in code: a sum, a carry folded, a
// complement.
var (
	sums        = regexp.MustCompile("`((?:0x[0-9a-f]+|\\d+)(?: \\+ (?:0x[0-9a-f]+|\\d+))*) = 0x([0-9a-f]+)`")
	folds       = regexp.MustCompile("`0x([0-9a-f]+) folds to 0x([0-9a-f]{4})`")
	complements = regexp.MustCompile("`~0x([0-9a-f]{4}) = 0x([0-9a-f]{4})`")
	anyEquation = regexp.MustCompile("`[^`\n]*(?: = 0x| folds to )[^`\n]*`")
	ruleRow     = regexp.MustCompile("(?m)^\\| `([0-9a-f]{4})` \\| (.*0x.*) \\| `([0-9a-f]{4})` \\|$")
)

func hexadecimal(t *testing.T, digits string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(digits, "0x"), 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fold adds what stands above 16 bits at the end (RFC 1071).
func fold(n uint64) uint64 {
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return n
}

// TestArithmetic works out every equation of every guide. One with a result of
// eight digits is modulo 2^32, as sequence numbers are (RFC 9293, section 3.4).
func TestArithmetic(t *testing.T) {
	for _, name := range guides {
		guide := read(t, name)
		checked := 0
		for _, found := range sums.FindAllStringSubmatch(guide, -1) {
			var sum uint64
			for _, term := range strings.Split(found[1], " + ") {
				n, err := strconv.ParseUint(term, 0, 64)
				if err != nil {
					t.Fatal(err)
				}
				sum += n
			}
			if len(found[2]) == 8 {
				sum &= 1<<32 - 1
			}
			if sum != hexadecimal(t, found[2]) {
				t.Errorf("%s: %s is wrong: it is 0x%x", name, found[0], sum)
			}
			checked++
		}
		for _, found := range folds.FindAllStringSubmatch(guide, -1) {
			if got := fold(hexadecimal(t, found[1])); got != hexadecimal(t, found[2]) {
				t.Errorf("%s: %s is wrong: it is 0x%04x", name, found[0], got)
			}
			checked++
		}
		for _, found := range complements.FindAllStringSubmatch(guide, -1) {
			if got := 0xffff - hexadecimal(t, found[1]); got != hexadecimal(t, found[2]) {
				t.Errorf("%s: %s is wrong: it is 0x%04x", name, found[0], got)
			}
			checked++
		}
		if all := len(anyEquation.FindAllString(guide, -1)); all != checked {
			t.Errorf("%s has %d equations, of which %d are of a form that is checked here", name, all, checked)
		}
	}
}

// TestRuleTables works out the tables that show an incremental rule (RFC 1624):
// old checksum, the step, new checksum.
func TestRuleTables(t *testing.T) {
	rules := map[string]func(old uint64) (step string, renewed uint64){
		"answer-pings.md": func(old uint64) (string, uint64) { // the word falls by 0x0800, its complement rises
			n := old + 0x0800
			if n <= 0xffff {
				return fmt.Sprintf("0x%04x", n), n
			}
			return fmt.Sprintf("0x%05x, a carry: 0x%04x + 1", n, n-0x10000), fold(n)
		},
		"play-ip6.md": func(old uint64) (string, uint64) { // the word rises by 0x0100, its complement falls
			if old >= 0x0100 {
				return fmt.Sprintf("0x%04x", old-0x0100), old - 0x0100
			}
			n := old + 0xffff
			return fmt.Sprintf("0x%05x − 0x0100", n), n - 0x0100
		},
	}
	for name, rule := range rules {
		rows := ruleRow.FindAllStringSubmatch(read(t, name), -1)
		if len(rows) < 3 {
			t.Errorf("%s: %d rows of a rule's table were found, want 3 or more", name, len(rows))
		}
		for _, row := range rows {
			step, renewed := rule(hexadecimal(t, row[1]))
			if row[2] != step || hexadecimal(t, row[3]) != renewed {
				t.Errorf("%s: %s\nshould say %s and %04x", name, row[0], step, renewed)
			}
		}
	}
}
