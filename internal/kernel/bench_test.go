package kernel_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/plan"
	"warren/state"
)

// BenchmarkApply builds and removes a star; WARREN_BENCH=1 for all sizes. The numbers to compare with are bench/floor.c's.
func BenchmarkApply(b *testing.B) {
	for _, n := range starSizes() {
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			k := newKernel(b)
			steps := star("lab", n)
			down := destroy(steps)
			var up, gone time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				apply(b, k, steps)
				middle := time.Now()
				apply(b, k, down)
				up, gone = up+middle.Sub(start), gone+time.Since(middle)
			}
			b.ReportMetric(float64(up.Microseconds())/float64(b.N*n), "us-up/node")
			b.ReportMetric(float64(gone.Microseconds())/float64(b.N*n), "us-down/node")
		})
	}
}

// BenchmarkObserve reads a star that is there.
func BenchmarkObserve(b *testing.B) {
	for _, n := range starSizes() {
		k := newKernel(b)
		steps := star("lab", n)
		apply(b, k, steps)
		keys := map[string][]string{}
		for _, s := range steps {
			if s.After.Namespace != nil {
				keys[s.NS] = []string{"net/ipv6/conf/default/disable_ipv6"}
			}
		}
		const basic = state.PartLinks | state.PartAddrs | state.PartRoutes
		for _, q := range []struct {
			name  string
			query state.Query
		}{
			{"links", state.Query{Lab: "lab", Parts: state.PartLinks}},
			{"basic", state.Query{Lab: "lab", Parts: basic}},
			{"lab", state.Query{Lab: "lab", Parts: state.PartsLab}},
			{"lab-sysctls", state.Query{Lab: "lab", Parts: state.PartsLab, SysctlKeys: keys}},
		} {
			b.Run(fmt.Sprintf("nodes=%d/%s", n, q.name), func(b *testing.B) {
				b.ReportAllocs()
				cpu := cpuTime(b)
				for b.Loop() {
					s, err := k.Observe(context.Background(), q.query)
					if err != nil || len(s.Unread) > 0 || len(s.Namespaces) != n+1 {
						b.Fatalf("%d namespaces, unread %v, %v", len(s.Namespaces), s.Unread, err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "us/node")
				b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/float64(b.N*n), "cpu-us/node")
			})
		}
		if r := k.Apply(context.Background(), destroy(steps), plan.Hooks{}); r.Err != nil {
			b.Fatal(r.Err)
		}
	}
}

// cpuTime is what this process has used of the processors so far. On a machine that others use too it tells more than
// the clock.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
