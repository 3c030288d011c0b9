package packet

import "testing"

func BenchmarkSummary(b *testing.B) {
	for _, name := range []string{"ping-request", "tcp-syn-options", "icmp-port-unreachable", "ping-reply-bad-icmp-checksum"} {
		p := sample(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Summary(p)
			}
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	p := sample(b, "ping-request")
	full, err := Fix(append(p, make([]byte, 1500-len(p))...))
	if err != nil {
		b.Fatal(err)
	}
	for name, p := range map[string][]byte{"84 bytes": sample(b, "ping-request"), "1500 bytes": full} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Check(p)
			}
		})
	}
}

func BenchmarkFix(b *testing.B) {
	p := sample(b, "ping-request")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Fix(p); err != nil {
			b.Fatal(err)
		}
	}
}
