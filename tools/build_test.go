package tools

import (
	"fmt"
	"runtime"
	"testing"
)

// All packets of a reply_to_each share its patch, so that a long one is not in memory
// once for each packet.
func TestPatchIsShared(t *testing.T) {
	p := packetArguments{Patch: map[string]string{}, PatchEach: map[string][]string{"1": make([]string, maxPackets)}}
	for at := range 15000 {
		p.Patch[fmt.Sprint(100+at)] = "00"
	}
	for i := range maxPackets {
		p.ReplyToEach = append(p.ReplyToEach, i+1)
		p.PatchEach["1"][i] = fmt.Sprintf("%02x", i)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	all, err := p.each()
	runtime.ReadMemStats(&after)
	if err != nil || len(all) != maxPackets {
		t.Fatalf("%d packets, %v", len(all), err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("%d bytes were allocated for %d packets", took, len(all))
	}
}
