package kerneltest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// leakWait is how long a test may take to be really done after its end: the kernel cleans namespaces up later.
const leakWait = 30 * time.Second

// LeakCheck looks at what there is now, and fails the test if at its end, after all clean-ups that are registered later,
// something is left over or gone: network namespaces, links and addresses and routes and sysctls of the world's own
// namespace, mounts, processes, open files, files below /run, nftables tables, goroutines, and threads that stand in
// another namespace than the rest. It waits for what the kernel takes away with delay. Not for parallel tests.
func LeakCheck(t testing.TB) {
	t.Helper()
	leakCheck(t, leakWait)
}

func leakCheck(t testing.TB, wait time.Duration) {
	t.Helper()
	if !Inside() {
		t.Fatal("LeakCheck outside of kerneltest.Main")
	}
	before, err := takeCensus()
	if err != nil {
		t.Fatalf("leak check: %v", err)
	}
	goroutines := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		if t.Skipped() {
			return
		}
		err := poll(wait, func() error {
			after, err := takeCensus()
			if err != nil {
				return err
			}
			return before.compare(after)
		})
		if err != nil {
			t.Errorf("leak check:\n%v", err)
		}
		if err := goleak.Find(goroutines); err != nil {
			t.Errorf("leak check: %v", err)
		}
	})
}

// A census counts things by kind and description.
type census map[string]map[string]int

func (c census) add(kind, item string) {
	if c[kind] == nil {
		c[kind] = map[string]int{}
	}
	c[kind][item]++
}

func (c census) compare(after census) error {
	var lines []string
	kinds := maps.Clone(c)
	maps.Copy(kinds, after)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		items := maps.Clone(c[kind])
		if items == nil {
			items = map[string]int{}
		}
		maps.Copy(items, after[kind])
		for _, item := range slices.Sorted(maps.Keys(items)) {
			switch d := after[kind][item] - c[kind][item]; {
			case d > 0:
				lines = append(lines, fmt.Sprintf("\t%s left: %s", kind, item))
			case d < 0:
				lines = append(lines, fmt.Sprintf("\t%s gone: %s", kind, item))
			}
		}
	}
	if lines == nil {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(lines, "\n"))
}
