// Package kstruct fits BPF programs to the running kernel: it loads compiled ones (their C sources share bpf/kernel.h), finds
// where fields of structures are for those that are put together in Go, and says how the kernel names what they report:
// reasons of drops, functions. It asks the kernel's BTF (CONFIG_DEBUG_INFO_BTF, Linux 5.2) and /proc/kallsyms.
package kstruct
