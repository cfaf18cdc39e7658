package hidden

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"warren/internal/kstruct"
)

// batch is how many namespaces one call of the program tells; the program is unrolled, because a BPF program may write its
// answer at constant offsets only.
const batch = 128

// The answer, in the memory of the program's context: four words, then three for each namespace.
const (
	atCursor = 0  // where to go on; 0 = from the caller's own, and at the end
	atFirst  = 8  // the caller's own node of the list
	atOps    = 16 // ns.ops of a network namespace
	atCount  = 24
	atList   = 32
	each     = 24 // ns.ops, cookie, inode
)

const contextSize = atList + batch*each

// offsets are where the fields are in the running kernel.
type offsets struct {
	nsproxy, netNS             int32 // task_struct, nsproxy
	list, ops, inum, netCookie int32 // net
}

func findOffsets() (offsets, error) {
	f, err := kstruct.Load()
	if err != nil {
		return offsets{}, err
	}
	o := offsets{
		nsproxy: f.Offset("task_struct", "nsproxy"), netNS: f.Offset("nsproxy", "net_ns"),
		list: f.Offset("net", "list"), ops: f.Offset("net", "ns.ops"), inum: f.Offset("net", "ns.inum"),
		// The cookie became the id of all kinds of namespaces in Linux 6.18.
		netCookie: f.Offset("net", "net_cookie", "ns.ns_id"),
	}
	return o, f.Err()
}

// program walks along the list. R6 is the present node, R9 the context; -8(R10) takes what is read.
func program(o offsets) *ebpf.ProgramSpec {
	const scratch = -8
	// read loads size bytes at R6+offset into R0, or goes to "bad".
	read := func(offset int64, size int32) asm.Instructions {
		return asm.Instructions{
			asm.Mov.Imm(asm.R0, 0),
			asm.StoreMem(asm.RFP, scratch, asm.R0, asm.DWord),
			asm.Mov.Reg(asm.R1, asm.RFP),
			asm.Add.Imm(asm.R1, scratch),
			asm.Mov.Imm(asm.R2, size),
			asm.Mov.Reg(asm.R3, asm.R6),
			asm.Add.Imm(asm.R3, int32(offset)),
			asm.FnProbeReadKernel.Call(),
			asm.JNE.Imm(asm.R0, 0, "bad"),
			asm.LoadMem(asm.R0, asm.RFP, scratch, asm.DWord),
		}
	}
	var p asm.Instructions
	add := func(list ...asm.Instruction) { p = append(p, list...) }
	store := func(at int) { add(asm.StoreMem(asm.R9, int16(at), asm.R0, asm.DWord)) }
	add(
		asm.Mov.Reg(asm.R9, asm.R1),
		asm.LoadMem(asm.R6, asm.R9, atCursor, asm.DWord),
		asm.JNE.Imm(asm.R6, 0, "walk"),
		asm.FnGetCurrentTask.Call(),
		asm.Mov.Reg(asm.R6, asm.R0),
	)
	add(read(int64(o.nsproxy), 8)...)
	add(asm.Mov.Reg(asm.R6, asm.R0))
	add(read(int64(o.netNS), 8)...)
	add(asm.Mov.Reg(asm.R6, asm.R0))
	add(read(int64(o.ops), 8)...)
	store(atOps)
	add(
		asm.Add.Imm(asm.R6, o.list),
		asm.StoreMem(asm.R9, atFirst, asm.R6, asm.DWord),
	)
	walk := len(p)
	for i := range batch {
		at := atList + i*each
		for j, f := range []struct {
			offset int32
			size   int32
		}{{o.ops, 8}, {o.netCookie, 8}, {o.inum, 4}} {
			add(read(int64(f.offset)-int64(o.list), f.size)...)
			store(at + 8*j)
		}
		add(
			asm.Mov.Imm(asm.R0, int32(i+1)),
			asm.StoreMem(asm.R9, atCount, asm.R0, asm.DWord),
		)
		add(read(0, 8)...) // list_head.next
		add(
			asm.Mov.Reg(asm.R6, asm.R0),
			asm.LoadMem(asm.R1, asm.R9, atFirst, asm.DWord),
			asm.JEq.Reg(asm.R6, asm.R1, "end"),
		)
	}
	p[walk] = p[walk].WithSymbol("walk")
	add(
		asm.StoreMem(asm.R9, atCursor, asm.R6, asm.DWord),
		asm.Mov.Imm(asm.R0, 0),
		asm.Return(),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("end"),
		asm.StoreMem(asm.R9, atCursor, asm.R0, asm.DWord),
		asm.Return(),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("bad"),
		asm.StoreMem(asm.R9, atCursor, asm.R0, asm.DWord),
		asm.Mov.Imm(asm.R0, 1),
		asm.Return(),
	)
	return &ebpf.ProgramSpec{Name: "list_namespaces", Type: ebpf.Syscall, Flags: sleepable, License: "Dual MIT/GPL", Instructions: p}
}

// sleepable is BPF_F_SLEEPABLE: programs of this type have to be.
const sleepable = 1 << 4
