// Package hidden lists every network namespace that the kernel has, also those that no process, file, mount or socket leads
// to: one whose last descriptor is on its way through a unix socket, one that only a device or a connection of the kernel's
// own holds. There is no system call for that (before listns(2), which Linux 6.18 does not have), so a small BPF program walks
// along the kernel's list (net.list in include/net/net_namespace.h).
//
// The program is of type BPF_PROG_TYPE_SYSCALL (Linux 5.14): it runs when it is called and is attached nowhere. It is put
// together here, instruction by instruction, with the offsets that the running kernel's BTF tells; it reads memory with
// bpf_probe_read_kernel, which cannot crash, and writes only what it answers.
//
// It needs CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN) in the initial user namespace, and a kernel with BTF.
package hidden
