package nflink_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"

	"warren/internal/kerneltest"
	"warren/internal/nflink"
	"warren/netns"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// TestList attaches a program in a namespace of its own: the list names that one, and the link is gone from it afterwards.
func TestList(t *testing.T) {
	kerneltest.Need(t, "bpf-syscall", "root")
	kerneltest.LeakCheck(t)
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "pass", Type: ebpf.Netfilter, AttachType: ebpf.AttachNetfilter, License: "GPL", Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 1), asm.Return()},
	})
	if errors.Is(err, ebpf.ErrNotSupported) {
		t.Log("this kernel has no such programs")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	info, err := p.Info()
	if err != nil {
		t.Fatal(err)
	}
	id, _ := info.ID()
	want := nflink.Link{Program: uint32(id), Name: "pass", Family: "ip6", Hook: "postrouting", Priority: -7}
	var l link.Link
	err = netns.Scratch(func(*netns.Inside) error {
		h, err := netns.OpenPath("/proc/thread-self/ns/net")
		if err != nil {
			return err
		}
		defer h.Close()
		want.Cookie = h.Cookie()
		l, err = link.AttachNetfilter(link.NetfilterOptions{Program: p, ProtocolFamily: link.NetfilterProtoIPv6, Hook: link.NetfilterInetPostRouting, Priority: -7})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	mine := func() []nflink.Link {
		list, err := nflink.List()
		if err != nil {
			t.Error(err)
		}
		list = slices.DeleteFunc(list, func(l nflink.Link) bool { return l.Program != want.Program })
		for i := range list {
			list[i].ID = 0
		}
		return list
	}
	if got := mine(); !slices.Equal(got, []nflink.Link{want}) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// Who else lists the machine's links holds each for a moment.
	kerneltest.Eventually(t, 30*time.Second, func() error {
		if got := mine(); len(got) > 0 {
			return fmt.Errorf("of a link that is gone: %+v", got)
		}
		return nil
	})
}
