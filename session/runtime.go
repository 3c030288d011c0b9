package session

import "runtime/metrics"

// Runtime is the current resource use of the server's process.
type Runtime struct {
	Goroutines  uint64 `json:"goroutines"`   // including the runtime's own
	MemoryBytes uint64 `json:"memory_bytes"` // obtained from the system and not returned
	HeapBytes   uint64 `json:"heap_bytes"`   // part of it: objects, live or not yet collected
}

// runtimeNow reads the Go runtime's metrics, without stopping the world.
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
			return 0 // a Go version without this metric
		}
		return samples[i].Value.Uint64()
	}
	unused := uint64(len(reserve))
	return Runtime{Goroutines: value(0), MemoryBytes: value(1) - value(2) - unused, HeapBytes: value(3) - unused}
}
