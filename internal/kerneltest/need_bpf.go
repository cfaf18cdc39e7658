package kerneltest

import (
	"os"

	"golang.org/x/sys/unix"
)

// probeBPF looks for BTF and for the right to load programs that read the kernel's memory.
func probeBPF() error {
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		return err
	}
	if err := probeInitialUserNS(); err != nil {
		return err
	}
	_, _, errno := unix.Syscall(unix.SYS_BPF, 0xffff, 0, 0) // no such command
	if errno == unix.EINVAL {
		return nil
	}
	return errno
}
