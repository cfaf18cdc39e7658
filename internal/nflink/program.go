package nflink

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"warren/internal/kstruct"
)

// The memory of the program's context.
const (
	atFD        = 0  // in: a descriptor of the link, in the table of files of the process that runs the program
	atID        = 8  // out: the link's id
	atCookie    = 16 // out: the cookie of its namespace
	contextSize = 24
)

// offsets are where the fields are in the running kernel.
type offsets struct {
	files, fdt, fd, private int32 // task_struct, files_struct, fdtable, file
	id, net, cookie         int32 // bpf_link, bpf_nf_link, net
}

func findOffsets() (offsets, error) {
	f, err := kstruct.Load()
	if err != nil {
		return offsets{}, err
	}
	o := offsets{
		files: f.Offset("task_struct", "files"), fdt: f.Offset("files_struct", "fdt"), fd: f.Offset("fdtable", "fd"), private: f.Offset("file", "private_data"),
		id: f.Offset("bpf_link", "id"), net: f.Offset("bpf_nf_link", "net"),
		// The cookie became the id of all kinds of namespaces in Linux 6.18.
		cookie: f.Offset("net", "net_cookie", "ns.ns_id"),
	}
	return o, f.Err()
}

// program goes from the descriptor to the file, the link (with which struct bpf_nf_link begins) and its namespace. R6 is where
// it is, R9 the context; -8(R10) takes what is read.
func program(o offsets) *ebpf.ProgramSpec {
	const scratch = -8
	var p asm.Instructions
	// read loads size bytes at R6+offset into R0, or goes to "bad".
	read := func(offset, size int32) {
		p = append(p,
			asm.Mov.Imm(asm.R0, 0),
			asm.StoreMem(asm.RFP, scratch, asm.R0, asm.DWord),
			asm.Mov.Reg(asm.R1, asm.RFP),
			asm.Add.Imm(asm.R1, scratch),
			asm.Mov.Imm(asm.R2, size),
			asm.Mov.Reg(asm.R3, asm.R6),
			asm.Add.Imm(asm.R3, offset),
			asm.FnProbeReadKernel.Call(),
			asm.JNE.Imm(asm.R0, 0, "bad"),
			asm.LoadMem(asm.R0, asm.RFP, scratch, asm.DWord),
		)
	}
	follow := func(offset int32) {
		read(offset, 8)
		p = append(p, asm.Mov.Reg(asm.R6, asm.R0))
	}
	p = append(p,
		asm.Mov.Reg(asm.R9, asm.R1),
		asm.FnGetCurrentTask.Call(),
		asm.Mov.Reg(asm.R6, asm.R0),
	)
	follow(o.files)
	follow(o.fdt)
	follow(o.fd)
	p = append(p,
		asm.LoadMem(asm.R1, asm.R9, atFD, asm.DWord),
		asm.LSh.Imm(asm.R1, 3), // an array of pointers
		asm.Add.Reg(asm.R6, asm.R1),
	)
	follow(0)
	follow(o.private)
	read(o.id, 4)
	p = append(p, asm.StoreMem(asm.R9, atID, asm.R0, asm.DWord))
	follow(o.net)
	read(o.cookie, 8)
	p = append(p,
		asm.StoreMem(asm.R9, atCookie, asm.R0, asm.DWord),
		asm.Mov.Imm(asm.R0, 0),
		asm.Return(),
		asm.Mov.Imm(asm.R0, 1).WithSymbol("bad"),
		asm.Return(),
	)
	return &ebpf.ProgramSpec{Name: "namespace_of", Type: ebpf.Syscall, Flags: sleepable, License: "Dual MIT/GPL", Instructions: p}
}

// sleepable is BPF_F_SLEEPABLE: programs of this type have to be.
const sleepable = 1 << 4
