package live_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/live"
	"warren/reach"
)

// Where only the kernel could say which rule it was, the answer says how to get rid of it.
func TestFixOfTheKernelsRule(t *testing.T) {
	for _, tt := range []struct {
		ns, object string
		want       []string
	}{
		{"r", "nft inet f/c handle 5", []string{"ip netns exec r nft delete rule inet f c handle 5", "warren exec r -- nft delete rule inet f c handle 5"}},
		{"host", "nft ip6 f/c handle 7", []string{"nft delete rule ip6 f c handle 7"}},
		{"cookie:17", "nft ip f/c handle 5", []string{"warren exec cookie:17 -- nft delete rule ip f c handle 5"}},
		{"r", "nft inet f/c policy", []string{}},
		{"r", "nft inet f/c/d handle 5", []string{}},
		{"r", "", []string{}},
	} {
		e := event(reach.Request, tt.ns, "r2", live.Rule)
		e.Witness, e.Object, e.Verdict = live.ByTrace, tt.object, "drop"
		v, _ := live.Judge(walked(""), report(silent, event(reach.Request, "a", "va", live.Sent), e), false)
		if v.Reason == nil {
			t.Fatalf("%s in %s: no reason", tt.object, tt.ns)
		}
		if diff := cmp.Diff(tt.want, v.Reason.Fix); diff != "" {
			t.Errorf("%s in %s: -want +got:\n%s", tt.object, tt.ns, diff)
		}
	}
}
