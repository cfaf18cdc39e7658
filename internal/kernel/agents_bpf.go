package kernel

import (
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// BPF_PROG_QUERY, places of programs (enum bpf_attach_type: Linux 5.9, 6.6) and BPF_F_QUERY_EFFECTIVE (linux/bpf.h).
const (
	bpfProgQuery   = 16
	bpfSKLookup    = 36
	bpfTCXIngress  = 46
	bpfTCXEgress   = 47
	queryEffective = 1
)

// maxPrograms is how many programs of one place are named.
const maxPrograms = 64

// programsAt lists the ids of programs attached somewhere (bpf(2), BPF_PROG_QUERY): target is a descriptor, or the index of a link.
func programsAt(target int, attach, flags uint32) ([]uint32, error) {
	ids := make([]uint32, maxPrograms)
	attr := struct {
		target, attach, queryFlags, attachFlags uint32
		ids                                     uint64
		count                                   uint32
		_                                       uint32
		attachFlagsOf, links, linkFlags         uint64
		revision                                uint64
	}{target: uint32(target), attach: attach, queryFlags: flags, ids: uint64(uintptr(unsafe.Pointer(&ids[0]))), count: maxPrograms}
	_, _, errno := unix.Syscall(unix.SYS_BPF, bpfProgQuery, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return nil, errno
	}
	return ids[:min(attr.count, maxPrograms)], nil
}

// queryPrograms is programsAt where there are none in a place that the kernel does not have, or that this process may not ask about.
func queryPrograms(target int, attach, flags uint32) []uint32 {
	ids, err := programsAt(target, attach, flags)
	if err != nil {
		return nil
	}
	return ids
}

// anyGroupProgram reports whether there is any program that can be at a control group and judges traffic; false where this
// process may not ask.
func anyGroupProgram() bool {
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if err != nil {
			return false
		}
		id = next
		p, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue
		}
		typ := p.Type()
		_ = p.Close()
		switch typ {
		case ebpf.CGroupSKB, ebpf.CGroupSock, ebpf.CGroupSockAddr:
			return true
		}
	}
}
