package score

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestIsReport(t *testing.T) {
	data, err := json.MarshalIndent(sampleOf(100), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	later := strings.Replace(string(data), `"version": 1`, `"version": 2`, 1)
	for _, test := range []struct {
		text string
		want bool
	}{
		{string(data), true},
		{later, true},
		{string(data[:len(data)/2]), false}, // incomplete
		{strings.Replace(later, `"version": 2`, `"version": "one"`, 1), false},
		{`{"version": 1}`, false},
		{`{"name": "tun-mcp", "version": "1.0.0", "program": "", "started": 0, "settings": {}}`, false},
		{"[]", false},
		{"", false},
	} {
		if got := IsReport(strings.NewReader(test.text)); got != test.want {
			t.Errorf("%t, want %t: %.60s", got, test.want, test.text)
		}
	}
}
