package warren_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"warren/internal/kerneltest"
)

// listen opens a foreign listener and returns what closes it.
func listen(t *testing.T, addr string) func() {
	t.Helper()
	var cfg net.ListenConfig
	l, err := cfg.Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = l.Close() }
}

// TestTenLabsInParallel brings ten labs with equal inner addresses up and down at once.
func TestTenLabsInParallel(t *testing.T) {
	kerneltest.LeakCheck(t)
	binaryOrFail(t)
	var wg sync.WaitGroup
	for i := range 10 {
		file := labFile(t, fmt.Sprintf(`
name: lab%d
nets:
  lan: {cidr: 10.0.0.0/24, nodes: [h1, h2, r]}
  wan: {cidr: 10.0.1.0/24, nodes: [r, x]}
  out: {cidr: 10.9.%d.0/24, nodes: [r], uplink: true}
nodes:
  r: {nat: wan}
  h1: {run: sleep 1000}
checks:
  - h1 can ping x
`, i, i))
		wg.Go(func() {
			for range 3 {
				if out, stderr, code := try(t, "up", file); code != 0 {
					t.Errorf("up: exit %d\n%s%s", code, out, stderr)
				}
				if out, stderr, code := try(t, "plan", file); code != 0 {
					t.Errorf("plan after up: exit %d\n%s%s", code, out, stderr)
				}
				if out, stderr, code := try(t, "down", file); code != 0 {
					t.Errorf("down: exit %d\n%s%s", code, out, stderr)
				}
			}
		})
	}
	wg.Wait()
	nothingLeft(t)
}

// TestOneLabFromFiftySides runs 50 ups and downs of one lab at once: each waits for its turn and succeeds.
func TestOneLabFromFiftySides(t *testing.T) {
	kerneltest.LeakCheck(t)
	binaryOrFail(t)
	file := labFile(t, "name: one\nnets:\n  lan: [a, b, c]\n  up: {cidr: 10.55.0.0/24, nodes: [a], uplink: true}\nnodes:\n  a: {run: sleep 1000}\n")
	var wg sync.WaitGroup
	var mu sync.Mutex
	waited := 0
	for i := range 50 {
		verb := "up"
		if i%2 == 1 {
			verb = "down"
		}
		wg.Go(func() {
			out, stderr, code := try(t, verb, file)
			if code != 0 {
				t.Errorf("%s: exit %d\n%s%s", verb, code, out, stderr)
			}
			mu.Lock()
			defer mu.Unlock()
			if strings.Contains(stderr, "locked by") {
				waited++
			}
		})
	}
	wg.Wait()
	if waited == 0 {
		t.Error("of 50 at once not one said that it waits for a lock")
	}
	run(t, "down", file)
	nothingLeft(t)
}

// TestTwoUplinksOfOnePrefix: the second is refused with the first one's name.
func TestTwoUplinksOfOnePrefix(t *testing.T) {
	kerneltest.LeakCheck(t)
	text := "name: %s\nnets:\n  up: {cidr: 10.66.0.0/24, nodes: [a], uplink: true}\n"
	first, second := labFile(t, fmt.Sprintf(text, "first")), labFile(t, fmt.Sprintf(text, "second"))
	run(t, "up", first)
	if _, stderr, code := try(t, "up", second); code != 1 || !strings.Contains(stderr, "first") {
		t.Errorf("exit %d, want 1 and the first lab's name:\n%s", code, stderr)
	}
	run(t, "down", second)
	run(t, "down", first)
	nothingLeft(t)
}

// TestOnePortTwice: a published port that another lab has is refused with the owner's name.
func TestOnePortTwice(t *testing.T) {
	kerneltest.LeakCheck(t)
	text := "name: %s\nnets:\n  up: {cidr: 10.66.%d.0/24, nodes: [a], uplink: true}\nnodes:\n  a: {publish: [8099:80]}\n"
	first, second := labFile(t, fmt.Sprintf(text, "first", 1)), labFile(t, fmt.Sprintf(text, "second", 2))
	run(t, "up", first)
	if _, stderr, code := try(t, "up", second); code != 1 || !strings.Contains(stderr, "first") || !strings.Contains(stderr, "8099") {
		t.Errorf("exit %d, want 1, the port and the first lab's name:\n%s", code, stderr)
	}
	run(t, "down", first)
	nothingLeft(t)
}

func binaryOrFail(t *testing.T) {
	t.Helper()
	if _, err := binary(); err != nil {
		t.Fatal(err)
	}
}
