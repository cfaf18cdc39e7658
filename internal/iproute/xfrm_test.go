package iproute_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/netns"
)

// clocks are what differs with each run.
var clocks = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)

// TestXfrm runs the lines of testdata/xfrm with iproute2 and with us, each in a namespace of its own, and compares exit codes,
// output, what is said about errors, and now and then what iproute2 sees in the kernel.
func TestXfrm(t *testing.T) {
	leakCheck(t)
	for _, name := range []string{"states", "policies"} {
		t.Run(name, func(t *testing.T) { sameTransforms(t, name) })
	}
}

func sameTransforms(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/xfrm", file+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	a, b := "xfrm-a-"+file, "xfrm-b-"+file
	for _, ns := range []string{a, b} {
		waiting(t, ns)
	}
	still := func(r result) result {
		r.Out = clocks.ReplaceAllString(r.Out, "TIME")
		if strings.HasPrefix(r.Err, "Usage") {
			r.Err = "" // which is said in other words
		}
		return r
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		argv := append([]string{"ip"}, strings.Fields(line)...)
		want, got := still(theirs(t, "", inside(argv, a)...)), still(ours(t, "", inside(argv, b)...))
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s%s", line, d)
		}
		const often = 20
		if n++; n%often == 0 {
			for _, dump := range []string{"ip -s xfrm state", "ip -s xfrm policy", "ip -s -s xfrm policy count", "ip xfrm policy getdefault"} {
				argv := strings.Fields(dump)
				if d := cmp.Diff(still(theirs(t, "", inside(argv, a)...)), still(theirs(t, "", inside(argv, b)...))); d != "" {
					t.Fatalf("after %s%s: %s", line, dump, d)
				}
			}
		}
	}
}

// waiting makes a namespace in which states wait for their keys as long as a test may take.
func waiting(t *testing.T, name string) {
	t.Helper()
	h, err := netns.Create(t.Context(), netns.Dir+"/"+name, func(in *netns.Inside) error {
		return in.SetSysctl("net/core/xfrm_acq_expires", "100000")
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Close()
	t.Cleanup(func() {
		if err := netns.Delete(context.WithoutCancel(t.Context()), netns.Dir+"/"+name); err != nil {
			t.Error(err)
		}
	})
}
