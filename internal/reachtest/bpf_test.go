package reachtest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"warren"
	"warren/internal/kerneltest"
	"warren/netns"
	"warren/reach"
	"warren/state"
)

// newGroup makes a control group.
func newGroup(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := unix.Mount("none", root, "cgroup2", 0, ""); err != nil {
		t.Fatalf("mount cgroup2: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(root, unix.MNT_DETACH) })
	dir := filepath.Join(root, fmt.Sprintf("reach%d", unix.Getpid())) // seen by all of the machine
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // a process that ended leaves it with some delay
		kerneltest.Eventually(t, 30*time.Second, func() error { return os.Remove(dir) })
	})
	return dir
}

// enter moves a process into a control group.
func enter(t *testing.T, dir string, pid int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), fmt.Append(nil, pid), 0); err != nil {
		t.Fatal(err)
	}
}

// inGroup has the sockets that f opens belong to a control group.
func inGroup(t *testing.T, dir string, f func()) {
	t.Helper()
	enter(t, dir, os.Getpid())
	defer enter(t, filepath.Dir(dir), os.Getpid())
	f()
}

// resident has a process of a control group live in a namespace.
func resident(t *testing.T, dir, ns string) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "ip", "netns", "exec", ns, "sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	enter(t, dir, cmd.Process.Pid)
	h := open(t, ns)
	kerneltest.Eventually(t, 30*time.Second, func() error {
		now, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid))
		if err == nil && now != fmt.Sprintf("net:[%d]", h.Inode()) {
			err = fmt.Errorf("it is in %s", now)
		}
		return err
	})
}

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
	script(t, "ip netns add c")
	c := open(t, "c")
	group := newGroup(t)
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
	hook := func(h link.NetfilterInetHook) func() (link.Link, error) {
		return func() (link.Link, error) {
			return link.AttachNetfilter(link.NetfilterOptions{
				Program: pass(ebpf.Netfilter, ebpf.AttachNetfilter, 1), ProtocolFamily: link.NetfilterProtoIPv4, Hook: h, Priority: -10,
			})
		}
	}
	grouped := func(typ ebpf.ProgramType, at ebpf.AttachType) func() (link.Link, error) {
		return func() (link.Link, error) {
			return link.AttachCgroup(link.CgroupOptions{Path: group, Attach: at, Program: pass(typ, at, 1)})
		}
	}
	inGroup(t, group, func() { serve(t, "b tcp 0.0.0.0:81"); serve(t, "b udp 0.0.0.0:81") })
	resident(t, group, "a")
	for _, c := range []struct {
		name, object, dst string // object "" = the answer stays yes
		at                *netns.Handle
		attach            func() (link.Link, error)
	}{
		{"netfilter", "BPF program", "10.0.0.2", b, hook(link.NetfilterInetLocalIn)},
		{"netfilter-not-on-the-way", "", "10.0.0.2", b, hook(link.NetfilterInetForward)},
		{"netfilter-elsewhere", "", "10.0.0.2", c, hook(link.NetfilterInetLocalIn)},
		{"group-of-a-process", "BPF program", "10.0.0.2", b, grouped(ebpf.CGroupSKB, ebpf.AttachCGroupInetEgress)},
		{"group-of-a-process-connects", "BPF program", "10.0.0.2:80", b, grouped(ebpf.CGroupSockAddr, ebpf.AttachCGroupInet4Connect)},
		{"group-connect-is-not-for-ping", "", "10.0.0.2", b, grouped(ebpf.CGroupSockAddr, ebpf.AttachCGroupInet4Connect)},
		{"group-of-the-listener", "BPF program", "10.0.0.2:81", b, grouped(ebpf.CGroupSKB, ebpf.AttachCGroupInetIngress)},
		{"group-of-a-udp-server", "BPF program", "10.0.0.2:81/udp", b, grouped(ebpf.CGroupSKB, ebpf.AttachCGroupInetIngress)},
		{"xdp", "link vb", "10.0.0.2", b, func() (link.Link, error) {
			return link.AttachXDP(link.XDPOptions{Program: pass(ebpf.XDP, ebpf.AttachXDP, 2), Interface: index})
		}},
		{"tcx", "link vb", "10.0.0.2", b, func() (link.Link, error) {
			return link.AttachTCX(link.TCXOptions{Program: pass(ebpf.SchedCLS, ebpf.AttachTCXIngress, -1), Interface: index, Attach: ebpf.AttachTCXIngress})
		}},
		{"sk-lookup", "sk_lookup BPF program", "10.0.0.2:80", b, func() (link.Link, error) {
			return link.AttachNetNs(b.FD(), pass(ebpf.SkLookup, ebpf.AttachSkLookup, 1))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := warren.WhyQuery{Source: "a", Destination: c.dst}
			// Who lists the machine's links holds each for a moment, and a link that is closed meanwhile stays as long.
			free := func() error {
				v, err := w.Why(t.Context(), q)
				if err == nil && v.Reachable != reach.Yes {
					err = fmt.Errorf("without a program: %s\n%s", v.Reachable, walk(v))
				}
				return err
			}
			kerneltest.Eventually(t, 30*time.Second, free)
			var l link.Link
			err := c.at.Do(func() (err error) {
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
			if c.object == "" {
				if err != nil || v.Reachable != reach.Yes {
					t.Errorf("with a program that has no part in it: %s, %v\n%s", v.Reachable, err, walk(v))
				}
			} else if err != nil || v.Reachable != reach.Unknown || !named {
				t.Errorf("with a program: %s, %v\n%s", v.Reachable, err, walk(v))
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			kerneltest.Eventually(t, 30*time.Second, free)
		})
	}
}
