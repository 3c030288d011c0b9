package worker

import (
	"testing"
	"time"
)

func TestWaits(t *testing.T) {
	for _, c := range []struct {
		n           int
		retry, busy time.Duration
	}{
		{1, 10 * time.Second, 10 * time.Second}, {2, 30 * time.Second, 20 * time.Second}, {3, 90 * time.Second, 40 * time.Second},
		{5, 0, 160 * time.Second}, {6, 0, 300 * time.Second}, {maxWaits, 0, 300 * time.Second}, {1000, 0, 300 * time.Second},
	} {
		if got := retryWait(10*time.Second, c.n); c.retry > 0 && got != c.retry {
			t.Errorf("the wait before retry %d is %v, want %v", c.n, got, c.retry)
		}
		if got := busyWait(10*time.Second, c.n); got != c.busy {
			t.Errorf("the wait after %d refusals by the provider is %v, want %v", c.n, got, c.busy)
		}
	}
	total := time.Duration(0)
	for n := range maxWaits {
		total += busyWait(10*time.Second, n+1)
	}
	if total < time.Minute {
		t.Errorf("the worker gives up on an overloaded provider after %v, want more than a minute", total)
	}
}
