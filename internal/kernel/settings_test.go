package kernel_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/plan"
	"warren/state"
)

// TestSettings: a sysctl has the same value whether it is read beside links, where rtnetlink tells some, or alone.
func TestSettings(t *testing.T) {
	leakCheck(t)
	k := newKernel(t)
	const ns = "set.a"
	values := map[string]string{
		"net/ipv4/ip_forward": "1", "net/ipv4/conf/all/forwarding": "1", "net/ipv4/conf/all/rp_filter": "2",
		"net/ipv4/conf/default/rp_filter": "1", "net/ipv6/conf/all/forwarding": "1",
		"net/ipv6/conf/default/disable_ipv6": "1",
	}
	steps := []plan.Step{{NS: ns, After: plan.Object{Namespace: &state.DesiredNamespace{Name: ns, Mark: state.Mark{Lab: "set", Node: "a"}}}}}
	var keys []string
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		steps = append(steps, plan.Step{NS: ns, After: plan.Object{Sysctl: &state.Sysctl{Key: key, Value: values[key]}}})
	}
	apply(t, k, steps)
	for _, parts := range []state.Parts{0, state.PartLinks} {
		s := observe(t, k, state.Query{Names: []string{ns}, Parts: parts, SysctlKeys: map[string][]string{ns: keys}})
		got := map[string]string{}
		for _, v := range s.Namespaces[0].Sysctls {
			got[v.Key] = v.Value
		}
		if diff := cmp.Diff(values, got); diff != "" {
			t.Errorf("parts %b (-want +got)\n%s", parts, diff)
		}
	}
	apply(t, k, destroy(steps))
}
