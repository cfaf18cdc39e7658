package warren_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"warren/internal/kerneltest"
)

// killLab has one of everything that is left behind in its own way: an uplink with firewall elements and sysctls on the
// host, a bridge and a pair in the hidden namespace, node firewalls, services under the supervisor.
const killLab = `
name: kill
nets:
  up: {cidr: 10.77.0.0/24, nodes: [a, b], uplink: true}
  in: [a, c, d]
  pp: [c, e]
nodes:
  a: {run: sleep 1000, publish: [7780:80], sysctl: {net.ipv4.ip_default_ttl: 77}}
  b: {in: [tcp 22 from up]}
  c: {nat: pp}
  e: {run: sleep 1000}
`

// TestKillAtEveryPoint kills the real program at every boundary where it would leave another state behind, in up and in
// down; the next up or down must succeed, and after down nothing may be left.
func TestKillAtEveryPoint(t *testing.T) {
	kerneltest.LeakCheck(t)
	file := labFile(t, killLab)
	for _, verb := range []string{"up", "down"} {
		for n := 1; ; n++ {
			if verb == "down" {
				run(t, "up", file)
			}
			if !killedAt(t, n, verb, file) {
				if n < 5 {
					t.Errorf("%s has only %d points", verb, n)
				}
				t.Logf("%s: killed at %d points", verb, n-1)
				break
			}
			recoverAndClear(t, file, n%2 == 0)
		}
		run(t, "down", file)
		nothingLeft(t)
	}
}

// killedAt runs the program so that it kills itself at its n-th point, and reports whether it got that far.
func killedAt(t *testing.T, n int, args ...string) bool {
	t.Helper()
	cmd := warrenCmd(t, args...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("WARREN_KILL_AT=%d", n))
	out, err := cmd.CombinedOutput()
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return true
	}
	if err != nil {
		t.Fatalf("warren %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return false
}

// recoverAndClear does what a person does after a crash: up again and then down, or down at once.
func recoverAndClear(t *testing.T, file string, upFirst bool) {
	t.Helper()
	if upFirst {
		run(t, "up", file)
		if out, _, code := try(t, "plan", file); code != 0 {
			t.Fatalf("after a crash and up, plan exits %d:\n%s", code, out)
		}
	}
	run(t, "down", file)
	nothingLeft(t)
}

// TestKillAtRandomMoments kills the program 200 times at random moments of up and down.
func TestKillAtRandomMoments(t *testing.T) {
	kerneltest.LeakCheck(t)
	file := labFile(t, killLab)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	start := time.Now()
	run(t, "up", file)
	longest := map[string]time.Duration{"up": time.Since(start)}
	start = time.Now()
	run(t, "down", file)
	longest["down"] = time.Since(start)
	kills := 200
	if testing.Short() {
		kills = 20
	}
	killed, rounds := 0, 0
	for ; killed < kills && rounds < 4*kills; rounds++ {
		verb := "up"
		if rounds%2 == 1 { // a down needs something to take down: what the killed up of the round before left
			verb = "down"
		}
		cmd := warrenCmd(t, verb, file)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(rnd.Int64N(int64(longest[verb]))), func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		kill.Stop()
		if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			killed++
		} else if err != nil {
			t.Fatalf("round %d: warren %s: %v", rounds, verb, err)
		}
		if rounds%8 == 7 {
			recoverAndClear(t, file, rounds%16 == 7)
		}
	}
	if killed < kills {
		t.Errorf("only %d runs were killed", killed)
	}
	t.Logf("%d of %d runs were killed", killed, rounds)
	run(t, "down", file)
	nothingLeft(t)
}
