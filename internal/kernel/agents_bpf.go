package kernel

import (
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"warren/state"
)

// bpfSKLookup is BPF_SK_LOOKUP (Linux 5.9), queryEffective BPF_F_QUERY_EFFECTIVE.
const (
	bpfSKLookup    = 36
	queryEffective = 1
)

// maxPrograms is how many programs of one place are named.
const maxPrograms = 64

// queryPrograms lists the ids of programs attached somewhere (bpf(2), BPF_PROG_QUERY): none where the kernel has no such
// place, or where this process may not ask.
func queryPrograms(target int, attach, flags uint32) []uint32 {
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
		return nil
	}
	return ids[:min(attr.count, maxPrograms)]
}

// programs are those at control groups, read once for all namespaces: those of the root group judge every process, those of
// our own group also what would be sent from here. Which group a sender elsewhere would be in is not known.
func (o *observation) programs() []state.Agent {
	o.groupsOnce.Do(func() {
		root, own := groups()
		if root == "" {
			return
		}
		o.groups = groupPrograms(root, "/", 0, false)
		if own != root {
			o.groups = append(o.groups, groupPrograms(own, strings.TrimPrefix(own, root), queryEffective, true)...)
		}
	})
	return o.groups
}

// groups finds the second version's hierarchy of control groups (cgroups(7)), and our place in it; "" when it is not mounted.
func groups() (root, own string) {
	for _, dir := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var fs unix.Statfs_t
		if unix.Statfs(dir, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
			root = dir
			break
		}
	}
	b, err := os.ReadFile("/proc/thread-self/cgroup")
	if root == "" || err != nil {
		return root, root
	}
	for line := range strings.Lines(string(b)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok && path != "/" && !strings.HasPrefix(path, "/..") {
			return root, root + path
		}
	}
	return root, root
}

func groupPrograms(path, name string, flags uint32, own bool) (list []state.Agent) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	for _, at := range []struct { // enum bpf_attach_type
		typ uint32
		dir string
	}{
		{0, "ingress"},
		{1, "egress"},
		{2, "sock_create"},
		{10, "connect4"},
		{11, "connect6"},
		{12, "post_bind4"},
		{13, "post_bind6"},
		{14, "sendmsg4"},
		{15, "sendmsg6"},
		{19, "recvmsg4"},
		{20, "recvmsg6"},
	} {
		for _, id := range queryPrograms(fd, at.typ, flags) {
			list = append(list, state.Agent{Kind: "cgroup-bpf", Name: fmt.Sprintf("BPF program %d at control group %s (%s)", id, name, at.dir), Dir: at.dir, Own: own})
		}
	}
	return list
}
