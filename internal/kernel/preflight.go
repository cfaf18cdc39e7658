package kernel

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// NamespaceMemory is what one namespace with a veth pair, an address and a few sysctls takes of the kernel's memory, in
// bytes; measured on Linux 6.18 with 1,000 of them (0.27 MB).
const NamespaceMemory = 300 << 10

// A Capacity is what the machine has to offer to new namespaces. A negative number is not known.
type Capacity struct {
	// Privileged: this process has CAP_SYS_ADMIN and CAP_NET_ADMIN.
	Privileged bool
	// Limit is the sysctl user.max_net_namespaces, Used a lower bound of how many count against it now: those with a
	// name. (The kernel keeps the exact number to itself.)
	Limit, Used int64
	// Memory is MemAvailable in bytes (proc_meminfo(5)).
	Memory int64
}

// Check reports what stands against making n more namespaces: one error, nil when nothing does.
func (c Capacity) Check(n int) error {
	object := fmt.Sprintf("%d new namespaces", n)
	want := int64(n)
	switch {
	case !c.Privileged:
		return &OpError{
			Op: "check", Object: "privileges", Err: unix.EPERM,
			Hint: "needs CAP_NET_ADMIN and CAP_SYS_ADMIN: run as root",
		}
	case n <= 0:
		return nil
	case c.Limit >= 0 && c.Used+want > c.Limit:
		return &OpError{
			Op: "check", Object: object, Err: fmt.Errorf("%d are in use and at most %d are allowed: %w", c.Used, c.Limit, unix.ENOSPC),
			Hint: fmt.Sprintf("sysctl -w user.max_net_namespaces=%d", c.Used+want+1024),
		}
	case c.Memory >= 0 && want*NamespaceMemory > c.Memory:
		return &OpError{
			Op: "check", Object: object,
			Err:  fmt.Errorf("they need about %d MB and %d MB are available: %w", want*NamespaceMemory>>20, c.Memory>>20, unix.ENOMEM),
			Hint: "make the lab smaller, or free memory",
		}
	}
	return nil
}

// Preflight checks that n more namespaces can be made: privileges, the limit of network namespaces, memory. It changes
// nothing. With n = 0 it checks the privileges only.
func (k *Kernel) Preflight(n int) error {
	c := Capacity{Privileged: privileged(), Limit: -1, Used: -1, Memory: -1}
	if n > 0 {
		c.Limit = readNumber("/proc/sys/user/max_net_namespaces")
		c.Memory = memAvailable()
		names, _ := k.names() // a lower bound: what cannot be listed does not count
		c.Used = int64(len(names))
	}
	return c.Check(n)
}

// privileged looks at the effective capabilities of this thread.
func privileged() bool {
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&h, &data[0]); err != nil {
		return false
	}
	const need = 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_SYS_ADMIN // both are below 32
	return data[0].Effective&need == need
}

// readNumber reads a file with one number; -1 when there is none.
func readNumber(path string) int64 {
	b, err := os.ReadFile(path)
	if err != nil {
		return -1
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func memAvailable() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return -1
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if rest, ok := strings.CutPrefix(sc.Text(), "MemAvailable:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return -1
			}
			return n << 10
		}
	}
	return -1
}
