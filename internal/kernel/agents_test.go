package kernel_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/kernel"
	"warren/internal/kerneltest"
	"warren/state"
)

// TestAgentsXFRM compares with what ip made: policies that pass packets as they are do not matter.
func TestAgentsXFRM(t *testing.T) {
	kerneltest.Need(t, "exec:ip", "root")
	z := newZoo(t)
	run(t, "ip", "netns", "add", "x")
	t.Cleanup(func() { run(t, "ip", "netns", "del", "x") })
	for _, words := range [][]string{
		{"src", "10.0.0.0/24", "dst", "10.0.1.0/24", "proto", "tcp", "dport", "80", "dir", "out", "tmpl", "src", "1.1.1.1", "dst", "2.2.2.2", "proto", "esp", "mode", "tunnel"},
		{"src", "fd00::/64", "dst", "fd01::/64", "dir", "fwd", "action", "block"},
		{"src", "10.2.0.0/24", "dst", "10.3.0.0/24", "dir", "in"},
	} {
		run(t, "ip", append([]string{"-n", "x", "xfrm", "policy", "add"}, words...)...)
	}
	s, err := z.k.Observe(t.Context(), state.Query{Names: []string{"x"}, Parts: state.PartAgents})
	if err != nil || len(s.Unread) > 0 {
		t.Fatal(err, s.Unread)
	}
	want := []state.Agent{
		{Kind: "xfrm", Dir: "fwd", Name: "policy src fd00::/64 dst fd01::/64 dir fwd (block)", Src: netip.MustParsePrefix("fd00::/64"), Dst: netip.MustParsePrefix("fd01::/64")},
		{Kind: "xfrm", Dir: "out", Name: "policy src 10.0.0.0/24 dst 10.0.1.0/24 dir out (ipsec)", Src: netip.MustParsePrefix("10.0.0.0/24"), Dst: netip.MustParsePrefix("10.0.1.0/24"), Proto: 6, DPort: 80},
	}
	if d := cmp.Diff(want, s.Namespace("x").Agents, cmpopts.EquateComparable(netip.Prefix{})); d != "" {
		t.Error(d)
	}
}

// TestAgentsARPTables asks for the table as arptables-legacy would, which makes it.
func TestAgentsARPTables(t *testing.T) {
	kerneltest.Need(t, "exec:ip", "root")
	z := newZoo(t)
	run(t, "ip", "netns", "add", "x")
	t.Cleanup(func() { run(t, "ip", "netns", "del", "x") })
	agents := func() []state.Agent {
		s, err := z.k.Observe(t.Context(), state.Query{Names: []string{"x"}, Parts: state.PartAgents})
		if err != nil || len(s.Unread) > 0 {
			t.Fatal(err, s.Unread)
		}
		return s.Namespace("x").Agents
	}
	if got := agents(); len(got) > 0 {
		t.Errorf("of a new namespace: %+v", got)
	}
	h, err := z.k.Open(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	err = h.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		var info [68]byte // struct arpt_getinfo begins with the name
		copy(info[:], "filter")
		size := uint32(len(info))
		const arptInfo = 96 // ARPT_SO_GET_INFO
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_IP, arptInfo, uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno != 0 {
			t.Logf("this kernel has no such table: %v", errno)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	names := ""
	_ = h.Do(func() error {
		b, err := os.ReadFile("/proc/thread-self/net/arp_tables_names")
		names = string(b)
		return err
	})
	if got := agents(); (len(got) > 0) != (names != "") {
		t.Errorf("%+v, and the kernel lists %q", got, names)
	}
}

// TestAgentsGroups attaches programs to a control group of its own, in which nobody is.
func TestAgentsGroups(t *testing.T) {
	kerneltest.Need(t, "bpf-syscall", "root")
	root := t.TempDir()
	if err := unix.Mount("none", root, "cgroup2", 0, ""); err != nil {
		t.Fatalf("mount cgroup2: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(root, unix.MNT_DETACH) })
	dir := filepath.Join(root, fmt.Sprintf("agents%d", unix.Getpid())) // seen by all of the machine
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	if got := kernel.GroupPrograms(dir); len(got) > 0 {
		t.Fatalf("of a new group: %+v", got)
	}
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "pass", Type: ebpf.CGroupSKB, AttachType: ebpf.AttachCGroupInetEgress, License: "GPL", Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 1), asm.Return()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	l, err := link.AttachCgroup(link.CgroupOptions{Path: dir, Attach: ebpf.AttachCGroupInetEgress, Program: p})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := kernel.GroupPrograms(dir)
	if len(got) != 1 || got[0].Dir != "egress" || got[0].Kind != "cgroup-bpf" {
		t.Errorf("%s: %+v", filepath.Base(dir), got)
	}
}

// TestDecodeIPVS reads what Linux prints.
func TestDecodeIPVS(t *testing.T) {
	got, err := kernel.DecodeIPVS([]byte(`IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A600001:0050 rr
  -> 0A000002:1F90      Masq    1      0          0
UDP  [fd00:0000:0000:0000:0000:0000:0000:0001]:0035 wrr persistent 300
FWM  0000002A rr
`))
	want := []state.Agent{
		{Kind: "ipvs", Name: "virtual service tcp 10.96.0.1:80", Dst: netip.MustParsePrefix("10.96.0.1/32"), Proto: 6, DPort: 80},
		{Kind: "ipvs", Name: "virtual service udp [fd00::1]:53", Dst: netip.MustParsePrefix("fd00::1/128"), Proto: 17, DPort: 53},
		{Kind: "ipvs", Name: "virtual service of mark 42", Mark: 42},
	}
	if d := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); d != "" || err != nil {
		t.Error(d, err)
	}
	if _, err := kernel.DecodeIPVS([]byte("TCP  nonsense rr\n")); err == nil {
		t.Error("nonsense is a service")
	}
}

// TestDecodeExpectations reads what Linux prints (exp_seq_show in net/netfilter/nf_conntrack_expect.c).
func TestDecodeExpectations(t *testing.T) {
	got := kernel.DecodeExpectations([]byte("297 l3proto = 2 proto=6 src=10.0.0.1 dst=10.0.0.2 sport=0 dport=40001 ftp\nnonsense\n"))
	want := []state.Agent{{
		Kind: "expectation", Name: "expectation l3proto = 2 proto=6 src=10.0.0.1 dst=10.0.0.2 sport=0 dport=40001 ftp", Proto: 6, DPort: 40001,
		Src: netip.MustParsePrefix("10.0.0.1/32"), Dst: netip.MustParsePrefix("10.0.0.2/32"),
	}}
	if d := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); d != "" {
		t.Error(d)
	}
}

// TestDecodeEBHook tells legacy ebtables' hooks from others' (nfnetlink_hook).
func TestDecodeEBHook(t *testing.T) {
	for _, c := range []struct {
		function string
		priority int32
		want     string
	}{{"ebt_do_table", -200, "filter"}, {"ebt_do_table", 200, "filter"}, {"ebt_do_table", 300, "nat"}, {"ebt_broute", -1 << 31, "broute"}, {"nft_do_chain_bridge", -200, ""}} {
		e := netlink.NewAttributeEncoder()
		e.ByteOrder = binary.BigEndian
		e.Uint32(1, 2)
		e.Uint32(2, uint32(c.priority))
		e.String(4, c.function)
		b, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got := kernel.DecodeEBHook(netlink.Message{Data: append([]byte{7, 0, 0, 0}, b...)}); got != c.want {
			t.Errorf("%s %d: %q, want %q", c.function, c.priority, got, c.want)
		}
	}
}

// FuzzDecodeXFRM: whatever the bytes, a policy's prefixes are of one family and valid.
func FuzzDecodeXFRM(f *testing.F) {
	f.Add(make([]byte, 168))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, _, err := kernel.DecodeXFRM(b)
		if err == nil && (!a.Src.IsValid() || !a.Dst.IsValid() || a.Src.Addr().Is6() != a.Dst.Addr().Is6()) {
			t.Errorf("%x: %+v", b, a)
		}
	})
}
