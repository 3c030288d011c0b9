package trial

import "testing"

// The report says whether the agent could install packet handlers.
func TestReportSaysHandlers(t *testing.T) {
	for _, on := range []bool{true, false} {
		if found, err := Run(t.Context(), Options{Handlers: on}); err != nil || found.Handlers != on {
			t.Errorf("handlers %t: the report says %t, %v", on, found.Handlers, err)
		}
	}
}
