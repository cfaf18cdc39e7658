package reachtest_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"

	"warren"
	"warren/internal/kerneltest"
	"warren/reach"
	"warren/state"
)

// TestPrograms attaches programs that let everything pass: what a program decides is not known, so the answer is unknown
// and names it, and it is yes again when the program is gone.
func TestPrograms(t *testing.T) {
	kerneltest.Need(t, "veth", "bpf-syscall", "exec:ip", "root")
	w, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	build(t, "P2")
	serve(t, "b tcp 0.0.0.0:80")
	settleAll(t, w)
	b := open(t, "b")
	var index int
	s, err := w.Observe(t.Context(), state.Query{Names: []string{"b"}, Parts: state.PartLinks})
	if err != nil {
		t.Fatal(err)
	}
	index = s.Namespace("b").Link("vb").Index
	pass := func(typ ebpf.ProgramType, at ebpf.AttachType, code int32) *ebpf.Program {
		p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
			Name: "pass", Type: typ, AttachType: at, License: "GPL", Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, code), asm.Return()},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close() })
		return p
	}
	for _, c := range []struct {
		name, object, dst string
		attach            func() (link.Link, error)
	}{
		{"xdp", "link vb", "10.0.0.2", func() (link.Link, error) {
			return link.AttachXDP(link.XDPOptions{Program: pass(ebpf.XDP, ebpf.AttachXDP, 2), Interface: index})
		}},
		{"tcx", "link vb", "10.0.0.2", func() (link.Link, error) {
			return link.AttachTCX(link.TCXOptions{Program: pass(ebpf.SchedCLS, ebpf.AttachTCXIngress, -1), Interface: index, Attach: ebpf.AttachTCXIngress})
		}},
		{"sk-lookup", "sk_lookup BPF program", "10.0.0.2:80", func() (link.Link, error) {
			return link.AttachNetNs(b.FD(), pass(ebpf.SkLookup, ebpf.AttachSkLookup, 1))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := warren.WhyQuery{Source: "a", Destination: c.dst}
			if v, err := w.Why(t.Context(), q); err != nil || v.Reachable != reach.Yes {
				t.Fatalf("before: %s, %v\n%s", v.Reachable, err, walk(v))
			}
			var l link.Link
			err := b.Do(func() (err error) {
				l, err = c.attach()
				return err
			})
			if errors.Is(err, ebpf.ErrNotSupported) {
				t.Logf("this kernel has no %s", c.name)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			v, err := w.Why(t.Context(), q)
			named := slices.ContainsFunc(v.Unknowns, func(u reach.Doubt) bool {
				return len(u.Object) >= len(c.object) && u.Object[:len(c.object)] == c.object
			})
			if err != nil || v.Reachable != reach.Unknown || !named {
				t.Errorf("with a program: %s, %v\n%s", v.Reachable, err, walk(v))
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if v, err := w.Why(t.Context(), q); err != nil || v.Reachable != reach.Yes {
				t.Errorf("after: %s, %v\n%s", v.Reachable, err, fmt.Sprint(walk(v)))
			}
		})
	}
}
