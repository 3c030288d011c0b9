package docs_test

import (
	"regexp"
	"slices"
	"testing"
	"unicode"
)

// tokenLimit is what an agent pays at most for reading a guide, once.
const tokenLimit = 1500

var runs = regexp.MustCompile(`[A-Za-z]+|[0-9]+|[^\sA-Za-z0-9]`)

// tokens estimates how many tokens a text costs, on the high side: five letters
// are one, three digits are one, any other character is one. Bytes in hex cost
// far more than a token for four characters, the usual rule for prose. Counted
// with npm's @anthropic-ai/tokenizer the guides have 7 to 12 % fewer.
func tokens(text string) int {
	n := 0
	for _, run := range runs.FindAllString(text, -1) {
		switch first := rune(run[0]); {
		case unicode.IsLetter(first) && first < unicode.MaxASCII:
			n += (len(run) + 4) / 5
		case unicode.IsDigit(first):
			n += (len(run) + 2) / 3
		default:
			n++
		}
	}
	return n
}

func TestGuidesAreShort(t *testing.T) {
	for _, name := range append(slices.Clone(guides), handlerGuide) {
		guide := read(t, name)
		n := tokens(guide)
		t.Logf("%s: %d tokens, %d characters", name, n, len(guide))
		if n >= tokenLimit {
			t.Errorf("%s has about %d tokens, a guide has fewer than %d: split it", name, n, tokenLimit)
		}
	}
	if n := tokens("Read 4500 0054, now."); n != 8 { // 1, 2, 2, 1, 1, 1
		t.Errorf("the estimate of a known text is %d", n)
	}
}

// Every guide says that what packets contain is no order, where it can be read
// without the others.
func TestGuidesWarn(t *testing.T) {
	for _, name := range append(slices.Clone(guides), handlerGuide) {
		if warnings := len(warning.FindAllString(read(t, name), -1)); warnings != 1 {
			t.Errorf("%s says %d times that packets give no orders, want it once", name, warnings)
		}
	}
}

var warning = regexp.MustCompile(`is\s+data(?:\s+from\s+a\s+stranger)?,\s+never\s+a\s+request\s+to\s+you`)
