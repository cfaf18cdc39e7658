package kernel_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/kernel"
	"warren/internal/kerneltest"
	"warren/netns"
	"warren/plan"
	"warren/state"
)

func TestProbe(t *testing.T) {
	kerneltest.Need(t, "veth", "bridge", "nftables")
	leakCheck(t)
	k := newKernel(t)
	yes := true
	want := state.Desired{Lab: "p", Namespaces: []state.DesiredNamespace{{
		Name: "p.a", Mark: state.Mark{Lab: "p", Node: "a"},
		Contents: state.Contents{
			Links: []state.Link{
				{Name: "br", Kind: "bridge"},
				{Name: "x", Kind: "veth", Master: "br", Port: &state.BridgePort{Isolated: &yes}},
				{Name: "y", Kind: "vxlan"},
			},
			Tables:  []state.Table{{Family: "inet", Name: "warren"}},
			Sysctls: []state.Sysctl{{Key: "net/ipv6/conf/all/forwarding", Value: "1"}},
		},
	}}}
	for range 2 { // the second time from memory
		if err := k.Probe(context.Background(), kernel.Needs(want)); err != nil {
			t.Fatal(err)
		}
	}
	want.Namespaces[0].Links = append(want.Namespaces[0].Links, state.Link{Name: "z", Kind: "no-such-kind"})
	err := k.Probe(context.Background(), kernel.Needs(want))
	if !errors.Is(err, unix.EOPNOTSUPP) || !strings.Contains(err.Error(), `link z in "p.a" needs link kind no-such-kind`) {
		t.Errorf("error %v", err)
	}
}

func TestFresh(t *testing.T) {
	leakCheck(t)
	k := newKernel(t)
	keys := []string{"net/ipv4/ip_forward", "net/ipv4/ping_group_range", "net/ipv4/conf/eth7/forwarding"}
	s := observe(t, k, state.Query{Names: []string{"host"}, SysctlKeys: map[string][]string{"host": keys}, Fresh: true})
	if len(s.Fresh) != 2 || s.Fresh[0] != (state.Sysctl{Key: keys[0], Value: "0"}) || s.Fresh[1].Value != "1\t0" {
		t.Errorf("fresh values are %q", s.Fresh)
	}
	if host := s.Namespace("host"); host == nil || len(host.Sysctls) != 2 || host.Cookie == 0 {
		t.Errorf("host is %+v", host)
	}
}

func TestSysctlStaysInside(t *testing.T) {
	k := newKernel(t)
	for _, key := range []string{"kernel/hostname", "net/../kernel/hostname", "net//x", "net/ipv4/./ip_forward"} {
		step := plan.Step{NS: "host", After: plan.Object{Sysctl: &state.Sysctl{Key: key, Value: "1"}}}
		if r := k.Apply(context.Background(), []plan.Step{step}, plan.Hooks{}); !errors.Is(r.Err, unix.EINVAL) {
			t.Errorf("%s: error %v, want EINVAL", key, r.Err)
		}
	}
}

func TestKeysStayInside(t *testing.T) {
	k := newKernel(t)
	for _, key := range []string{"../x", "a/b", "", "..", ".@switch", "a.@", "a.@../x", "../a.@b", "x\x00y"} {
		if _, err := k.Open(context.Background(), key); err == nil {
			t.Errorf("key %q was opened", key)
		}
		if _, err := k.Observe(context.Background(), state.Query{Names: []string{key}}); err == nil {
			t.Errorf("key %q was observed", key)
		}
	}
}

func TestCapacity(t *testing.T) {
	ok := kernel.Capacity{Privileged: true, Limit: 100, Used: 40, Memory: 1 << 30}
	cases := []struct {
		name   string
		change func(*kernel.Capacity)
		n      int
		want   error
	}{
		{"enough", func(*kernel.Capacity) {}, 60, nil},
		{"limit", func(*kernel.Capacity) {}, 61, unix.ENOSPC},
		{"unprivileged", func(c *kernel.Capacity) { c.Privileged = false }, 0, unix.EPERM},
		{"memory", func(c *kernel.Capacity) { c.Memory = 1 << 20 }, 10, unix.ENOMEM},
		{"unknown", func(c *kernel.Capacity) { c.Memory, c.Limit = -1, -1 }, 100000, nil},
		{"none", func(c *kernel.Capacity) { c.Limit = 0 }, 0, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			have := ok
			c.change(&have)
			if err := have.Check(c.n); !errors.Is(err, c.want) {
				t.Errorf("%d of %+v: %v, want %v", c.n, have, err, c.want)
			}
		})
	}
	if err := newKernel(t).Preflight(10); err != nil {
		t.Error(err)
	}
}

func TestSweep(t *testing.T) {
	leakCheck(t)
	dir := t.TempDir()
	k := kernel.New(kernel.Config{RunDir: dir})
	steps := star("swe", 1)
	apply(t, k, steps)
	files := []string{netns.Dir + "/swe.half", dir + "/swe/half"} // as a kill between file and mount leaves them
	for _, f := range files {
		if err := os.WriteFile(f, []byte("warren\n"), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(dir+"/swe/journal", []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s := observe(t, k, state.Query{Lab: "swe"}); len(s.Namespaces) != 2 || s.Namespaces[1].Mark.Node != "n0000" {
		t.Errorf("observed %+v", s.Namespaces)
	}
	if s := observe(t, k, state.Query{All: true, Parts: state.PartProcesses}); len(s.Namespaces) != 3 || len(s.Namespace("host").Processes) == 0 {
		t.Errorf("observed %+v", s.Namespaces)
	}
	got, err := k.Sweep(context.Background(), "swe")
	if err != nil || !slices.Equal(got, []string{"swe.half", "swe.@half"}) {
		t.Errorf("swept %q, %v", got, err)
	}
	for _, f := range files {
		if _, err := os.Lstat(f); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", f, err)
		}
	}
	if _, err := os.Lstat(dir + "/swe/journal"); err != nil {
		t.Error(err)
	}
	apply(t, k, destroy(steps))
}
