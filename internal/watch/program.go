package watch

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"warren/internal/kstruct"
)

// offsets are where the fields are in the running kernel.
type offsets struct {
	nsproxy, parent, netNS, cookie, inum, number int32
	leader, pid                                  int32 // task_struct
	numbers, size, nr, ns, pidInum               int32 // pid, upid (and its size), pid_namespace
}

func findOffsets() (offsets, error) {
	f, err := kstruct.Load()
	if err != nil {
		return offsets{}, err
	}
	o := offsets{
		nsproxy: f.Offset("task_struct", "nsproxy"), parent: f.Offset("task_struct", "real_parent"), netNS: f.Offset("nsproxy", "net_ns"),
		// The cookie became the id of all kinds of namespaces in Linux 6.18.
		cookie: f.Offset("net", "net_cookie", "ns.ns_id"), inum: f.Offset("net", "ns.inum"),
		leader: f.Offset("task_struct", "group_leader"), pid: f.Offset("task_struct", "thread_pid"),
		numbers: f.Offset("pid", "numbers"), nr: f.Offset("upid", "nr"), ns: f.Offset("upid", "ns"),
		pidInum: f.Offset("pid_namespace", "ns.inum"), size: 16, // an int, a pointer
		// The number of the system call, on amd64 and arm64.
		number: f.Offset("pt_regs", "orig_ax", "orig_rax", "syscallno"),
	}
	return o, f.Err()
}

// Places on the stack. The record is at its bottom.
const (
	scratchAt = -8
	keyAt     = -16
	valueAt   = -24
	recordAt  = -24 - recordSize
)

// read loads 8 bytes from what base (plus at) points to into the scratch place and into dst.
func read(dst, base asm.Register, at int32) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R3, base),
		asm.Add.Imm(asm.R3, at),
		asm.Mov.Reg(asm.R1, asm.RFP),
		asm.Add.Imm(asm.R1, scratchAt),
		asm.Mov.Imm(asm.R2, 8),
		asm.FnProbeReadKernel.Call(),
		asm.LoadMem(dst, asm.RFP, scratchAt, asm.DWord),
	}
}

// netOf follows a task to its network namespace: task and the result in R7. A task that is ending has none, and its cookie is
// then read as 0 (a fault is not one to BPF).
func (o offsets) netOf() asm.Instructions {
	return append(read(asm.R7, asm.R7, o.nsproxy), read(asm.R7, asm.R7, o.netNS)...)
}

func currentTask() asm.Instructions {
	return asm.Instructions{asm.FnGetCurrentTask.Call(), asm.Mov.Reg(asm.R7, asm.R0)}
}

// mostLevels is how deep PID namespaces are looked into; the kernel's limit is 32.
const mostLevels = 8

// pidOf writes the number that a task has in our PID namespace into a field of the record; 0 when it has none there. The
// task is in R7; R7 to R9 are lost. Numbers of the initial namespace would mean nothing to a program in a container.
func (o offsets) pidOf(name string, field int16, inum uint32) asm.Instructions {
	p := asm.Instructions{
		asm.Mov.Imm(asm.R0, 0),
		asm.StoreMem(asm.RFP, recordAt+field, asm.R0, asm.DWord),
	}
	p = append(p, read(asm.R7, asm.R7, o.pid)...)
	for level := range int32(mostLevels) {
		at := o.numbers + level*o.size
		body := read(asm.R8, asm.R7, at+o.ns)
		if level > 0 {
			body[0] = body[0].WithSymbol(fmt.Sprintf("%s%d", name, level))
		}
		p = append(p, body...)
		p = append(p, read(asm.R8, asm.R8, o.pidInum)...)
		p = append(p,
			asm.LSh.Imm(asm.R8, 32), asm.RSh.Imm(asm.R8, 32),
			asm.LoadImm(asm.R9, int64(inum), asm.DWord),
			asm.JNE.Reg(asm.R8, asm.R9, fmt.Sprintf("%s%d", name, level+1)),
		)
		p = append(p, read(asm.R8, asm.R7, at+o.nr)...)
		p = append(p,
			asm.LSh.Imm(asm.R8, 32), asm.RSh.Imm(asm.R8, 32),
			asm.StoreMem(asm.RFP, recordAt+field, asm.R8, asm.DWord),
			asm.Ja.Label(name+"done"),
		)
	}
	return append(p,
		asm.Mov.Imm(asm.R0, 0).WithSymbol(fmt.Sprintf("%s%d", name, mostLevels)),
		asm.Mov.Imm(asm.R0, 0).WithSymbol(name+"done"),
	)
}

// enterProgram notes the cookie of a thread that begins unshare or setns.
func enterProgram(o offsets, before int) *ebpf.ProgramSpec {
	p := asm.Instructions{
		asm.LoadMem(asm.R8, asm.R1, 8, asm.DWord), // the number
		asm.JEq.Imm(asm.R8, unix.SYS_UNSHARE, "wanted"),
		asm.JNE.Imm(asm.R8, unix.SYS_SETNS, "end"),
		asm.FnGetCurrentPidTgid.Call().WithSymbol("wanted"),
		asm.StoreMem(asm.RFP, keyAt, asm.R0, asm.DWord),
	}
	p = append(p, currentTask()...)
	p = append(p, o.netOf()...)
	p = append(p, read(asm.R7, asm.R7, o.cookie)...)
	p = append(p,
		asm.StoreMem(asm.RFP, valueAt, asm.R7, asm.DWord),
		asm.LoadMapPtr(asm.R1, before),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, keyAt),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, valueAt),
		asm.Mov.Imm(asm.R4, 0),
		asm.FnMapUpdateElem.Call(),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("end"),
		asm.Return(),
	)
	return &ebpf.ProgramSpec{Name: "warren_enter", Type: ebpf.RawTracepoint, Instructions: p, License: "Dual MIT/GPL"}
}

// exitProgram tells of a thread that is in another namespace than before its unshare or setns, or than the thread that
// made it by clone.
func exitProgram(o offsets, before, ring int, pidNS uint32) *ebpf.ProgramSpec {
	p := asm.Instructions{
		asm.LoadMem(asm.R6, asm.R1, 8, asm.DWord), // what it returned: 0 on success, and in a child
		asm.JNE.Imm(asm.R6, 0, "end"),
		asm.LoadMem(asm.R7, asm.R1, 0, asm.DWord), // struct pt_regs
	}
	p = append(p, read(asm.R8, asm.R7, o.number)...)
	p = append(p,
		asm.FnGetCurrentPidTgid.Call(),
		asm.StoreMem(asm.RFP, keyAt, asm.R0, asm.DWord),
		asm.JEq.Imm(asm.R8, unix.SYS_CLONE, "child"),
		asm.JEq.Imm(asm.R8, unix.SYS_CLONE3, "child"),
		asm.JEq.Imm(asm.R8, unix.SYS_UNSHARE, "same"),
		asm.JNE.Imm(asm.R8, unix.SYS_SETNS, "end"),
		asm.LoadMapPtr(asm.R1, before).WithSymbol("same"),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, keyAt),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "end"),
		asm.LoadMem(asm.R9, asm.R0, 0, asm.DWord),
		asm.Ja.Label("compare"),
		asm.FnGetCurrentTask.Call().WithSymbol("child"),
		asm.Mov.Reg(asm.R7, asm.R0),
	)
	p = append(p, read(asm.R7, asm.R7, o.parent)...)
	p = append(p, o.netOf()...)
	p = append(p, read(asm.R9, asm.R7, o.cookie)...)
	p = append(p, asm.FnGetCurrentTask.Call().WithSymbol("compare"), asm.Mov.Reg(asm.R7, asm.R0))
	p = append(p, o.netOf()...)
	p = append(p, read(asm.R6, asm.R7, o.cookie)...)
	p = append(p, asm.JEq.Reg(asm.R6, asm.R9, "end"))
	p = append(p, read(asm.R7, asm.R7, o.inum)...)
	p = append(p,
		asm.StoreMem(asm.RFP, recordAt, asm.R8, asm.DWord),
		asm.FnGetCurrentUidGid.Call(),
		asm.StoreMem(asm.RFP, recordAt+24, asm.R0, asm.DWord),
		asm.StoreMem(asm.RFP, recordAt+32, asm.R9, asm.DWord),
		asm.StoreMem(asm.RFP, recordAt+40, asm.R6, asm.DWord),
		asm.StoreMem(asm.RFP, recordAt+48, asm.R7, asm.DWord),
	)
	p = append(p, currentTask()...)
	p = append(p, o.pidOf("tid", 16, pidNS)...)
	p = append(p, currentTask()...)
	p = append(p, read(asm.R7, asm.R7, o.leader)...)
	p = append(p, o.pidOf("pid", 8, pidNS)...)
	p = append(p,
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, recordAt+56),
		asm.Mov.Imm(asm.R2, 16),
		asm.FnGetCurrentComm.Call(),
		asm.LoadMapPtr(asm.R1, ring),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, recordAt),
		asm.Mov.Imm(asm.R3, recordSize),
		asm.Mov.Imm(asm.R4, 0),
		asm.FnRingbufOutput.Call(),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("end"),
		asm.Return(),
	)
	return &ebpf.ProgramSpec{Name: "warren_exit", Type: ebpf.RawTracepoint, Instructions: p, License: "Dual MIT/GPL"}
}
