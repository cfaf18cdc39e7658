package warren_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren"
	"warren/internal/kerneltest"
	"warren/reach"
)

// checks runs the real program's check in one of its ways, and tells how each check came out.
func checks(t *testing.T, args ...string) (outcomes []string, results []warren.CheckResult) {
	t.Helper()
	out, errs, _ := try(t, append([]string{"check", "--json"}, args...)...)
	var report struct{ Checks []warren.CheckResult }
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("check %v: %v\n%s%s", args, err, out, errs)
	}
	for _, r := range report.Checks {
		word := "no "
		if r.OK {
			word = "ok "
		}
		outcomes = append(outcomes, word+r.Check)
	}
	return outcomes, report.Checks
}

// TestChecksWithoutPackets holds what the packet walk says, on what up would make and on what it has made, against real packets.
func TestChecksWithoutPackets(t *testing.T) {
	files, err := filepath.Glob("examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.Contains(f, "ring") }) // the kinds of its checks are others', too
	for _, f := range append(files, labFile(t, brokenLab), labFile(t, gatedLab)) {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".yaml"), func(t *testing.T) {
			kerneltest.LeakCheck(t)
			simulated, before := checks(t, "--simulate", f)
			_, _, _ = try(t, "up", f) // some of the checks do not hold
			walked, static := checks(t, "--static", f)
			sent, _ := checks(t, f)
			if len(sent) == 0 {
				t.Error("no checks")
			}
			if diff := cmp.Diff(sent, simulated); diff != "" {
				t.Errorf("-packets +simulated:\n%s\n%+v", diff, before)
			}
			if diff := cmp.Diff(sent, walked); diff != "" {
				t.Errorf("-packets +static:\n%s\n%+v", diff, static)
			}
			run(t, "down", f)
			nothingLeft(t)
		})
	}
}

// brokenLab has checks that do not hold.
const brokenLab = `
name: broken
nets:
  left: {cidr: 10.61.0.0/24, nodes: [a, r]}
  right: {cidr: 10.62.0.0/24, nodes: [r, b]}
nodes:
  a: {routes: ["10.62.0.0/24 via r"]}
  b: {}
  r: {forward: false}
checks:
  - a can ping r on left
  - a can ping b within 300ms
  - b can ping a within 300ms
  - a can tcp r:80 on left
  - a cannot tcp r:80 on left
`

// gatedLab has rules between its nodes.
const gatedLab = `
name: gated
nets:
  left: {cidr: 10.63.0.0/24, nodes: [a, r]}
  right: {cidr: 10.64.0.0/24, nodes: [r, b]}
nodes:
  a: {routes: ["default via r"]}
  b: {routes: ["default via r"], in: [icmp from left]}
  r: {forward: true, deny: ["right -> left/icmp"]}
checks:
  - a can ping b within 300ms
  - b cannot ping a within 300ms
  - a cannot tcp b:22
  - a can mtu 1500 to b
  - a cannot mtu 1600 to b
`

// TestFailedCheckSaysWhy: real packets find that a check does not hold, the walk finds why.
func TestFailedCheckSaysWhy(t *testing.T) {
	kerneltest.LeakCheck(t)
	lab, err := warren.Load(labFile(t, brokenLab))
	if err != nil {
		t.Fatal(err)
	}
	w := open(t, warren.Options{})
	report, err := w.Up(t.Context(), lab, warren.UpOptions{})
	if _, ok := errors.AsType[*warren.CheckError](err); !ok {
		t.Fatalf("up: %v, want checks that do not hold", err)
	}
	why := map[string]reach.Code{}
	for _, r := range report.Checks {
		if r.Why != nil {
			why[r.Check] = r.Why.Reason.Code
			if len(r.Why.Reason.Fix) == 0 {
				t.Errorf("%s: no fix", r.Check)
			}
		}
	}
	want := map[string]reach.Code{"a can ping b within 300ms": reach.ForwardingDisabled, "b can ping a within 300ms": reach.NoRoute, "a can tcp r:80 on left": reach.NoListener}
	if diff := cmp.Diff(want, why); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	if _, err := w.Down(t.Context(), lab.Name, warren.DownOptions{}); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t)
}
