// Package kstruct finds where the fields of the running kernel's structures are, for BPF programs that are put together for
// it, and how the kernel names what they report: reasons of drops, functions. It asks the kernel's BTF (CONFIG_DEBUG_INFO_BTF,
// Linux 5.2) and /proc/kallsyms.
package kstruct
