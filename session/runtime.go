package session

import "runtime/metrics"

// Runtime is what the server's process takes at the moment.
type Runtime struct {
	Goroutines  uint64 `json:"goroutines"`   // the runtime's own included
	MemoryBytes uint64 `json:"memory_bytes"` // had from the system and not given back
	HeapBytes   uint64 `json:"heap_bytes"`   // of it, objects: live ones, and those not collected yet
}

// runtimeNow reads the runtime's own counters. It stops nothing.
func runtimeNow() Runtime {
	samples := []metrics.Sample{
		{Name: "/sched/goroutines:goroutines"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
	}
	metrics.Read(samples)
	value := func(i int) uint64 {
		if samples[i].Value.Kind() != metrics.KindUint64 {
			return 0 // a runtime that has this no more
		}
		return samples[i].Value.Uint64()
	}
	return Runtime{Goroutines: value(0), MemoryBytes: value(1) - value(2), HeapBytes: value(3)}
}
