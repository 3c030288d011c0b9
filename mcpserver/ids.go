package mcpserver

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// survives reports whether an answer can carry an id: whether its decoded value, a
// string or a float64, still stands for it.
func survives(id json.RawMessage, value any) bool {
	switch v := value.(type) {
	case string: // half a surrogate pair becomes U+FFFD
		return !strings.ContainsRune(v, utf8.RuneError) || !bytes.Contains(bytes.ToLower(id), []byte(`\ud`))
	case float64:
		if v == 0 { // perhaps rounded; a power like e-999999999 is too large for a Rat
			digits, _, _ := strings.Cut(strings.ToLower(string(id)), "e")
			return !strings.ContainsAny(digits, "123456789")
		}
		given, _ := new(big.Rat).SetString(string(id)) // cannot fail, since it is a JSON number
		sent, _ := new(big.Rat).SetString(strconv.FormatFloat(v, 'g', -1, 64))
		return given.Cmp(sent) == 0
	}
	return false
}
