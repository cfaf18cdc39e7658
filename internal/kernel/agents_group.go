package kernel

import (
	"encoding/binary"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/state"
)

// A groupTree is the second version's hierarchy of control groups (cgroups(7)) with the BPF programs in it that judge the
// traffic of processes, as far as somebody asked. It is read once for all namespaces.
type groupTree struct {
	mount    int    // descriptor of its root, -1 = there is none
	root     string // path of its root
	id       uint64 // of the root
	everyone []state.Agent
	own      []state.Agent
	inUse    bool // there is a program that can be at some group
	byID     map[uint64][]state.Agent
	byPath   map[string]uint64
}

// groupTree finds the hierarchy, the programs of its root, which judge every process, and those of our own group, which judge
// what would be sent from here.
func (o *observation) groupTree() *groupTree {
	o.groupsMutex.Lock()
	defer o.groupsMutex.Unlock()
	if o.groups != nil {
		return o.groups
	}
	g := &groupTree{mount: -1, byID: map[uint64][]state.Agent{}, byPath: map[string]uint64{}}
	o.groups = g
	fd, err := openGroups(&g.root)
	if err != nil {
		return g // a kernel without it, or no right to look
	}
	g.mount, g.id = fd, inodeOf(fd)
	g.everyone = groupPrograms(fd, "/", 0)
	g.inUse = anyGroupProgram()
	if id, err := g.pathID(groupOf("/proc/thread-self")); err == nil {
		for _, a := range g.programs(id) {
			a.Own, a.Group = true, 0
			g.own = append(g.own, a)
		}
	}
	return g
}

// openGroups opens the hierarchy where it is mounted or, when it is not, a mount of it that nobody else sees (fsopen(2),
// Linux 5.2): programs stay in force without one.
func openGroups(root *string) (int, error) {
	for _, dir := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var fs unix.Statfs_t
		if unix.Statfs(dir, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
			*root = dir
			return unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		}
	}
	fs, err := unix.Fsopen("cgroup2", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
}

func (g *groupTree) close() {
	if g != nil && g.mount >= 0 {
		_ = unix.Close(g.mount)
		g.mount = -1
	}
}

func inodeOf(fd int) uint64 {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return 0
	}
	return st.Ino
}

// groupOf is the path of a process's control group in the second version's hierarchy; "" where it cannot be told.
func groupOf(proc string) string {
	b, err := os.ReadFile(proc + "/cgroup")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if p, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return strings.TrimSuffix(p, " (deleted)")
		}
	}
	return ""
}

// pathID is the number of the control group of a path.
func (g *groupTree) pathID(group string) (uint64, error) {
	if group == "" || g.mount < 0 {
		return 0, nil
	}
	if id, ok := g.byPath[group]; ok {
		return id, nil
	}
	var st unix.Stat_t
	if err := unix.Fstatat(g.mount, path.Join(".", group), &st, 0); err != nil || strings.HasPrefix(group, "/..") {
		return 0, fmt.Errorf("control group %s: %w", group, unix.ENOENT)
	}
	g.byPath[group] = st.Ino
	return st.Ino, nil
}

// kernfsHandle is the type of a file handle that holds nothing but an inode number (FILEID_KERNFS).
const kernfsHandle = 0xfe

// programs are those that judge what is in a control group besides those of the root: its own, and its ancestors' where these
// are still in force (BPF_F_QUERY_EFFECTIVE).
func (g *groupTree) programs(id uint64) []state.Agent {
	if id == 0 || id == g.id || g.mount < 0 {
		return nil
	}
	if list, ok := g.byID[id]; ok {
		return list
	}
	h := unix.NewFileHandle(kernfsHandle, binary.NativeEndian.AppendUint64(nil, id))
	fd, err := unix.OpenByHandleAt(g.mount, h, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC)
	if err != nil {
		g.byID[id] = nil // it is gone, and with it its programs; or a process that may not ask
		return nil
	}
	defer unix.Close(fd)
	name, _ := os.Readlink(fmt.Sprintf("/proc/thread-self/fd/%d", fd))
	list := groupPrograms(fd, path.Join("/", strings.TrimPrefix(name, g.root)), queryEffective)
	list = slices.DeleteFunc(list, func(a state.Agent) bool {
		return slices.ContainsFunc(g.everyone, func(e state.Agent) bool { return e.Program == a.Program && e.Dir == a.Dir })
	})
	for i := range list {
		list[i].Group = id
	}
	g.byID[id] = list
	return list
}

// groupAgents are the programs at control groups that may judge what is sent and received in a namespace: by every process, by
// one in our own group, by the sockets that are open there, and, where senders are asked for, by the processes that live there.
func (o *observation) groupAgents(r *reading, parts state.Parts) ([]state.Agent, error) {
	g := o.groupTree()
	o.groupsMutex.Lock()
	defer o.groupsMutex.Unlock()
	list := slices.Concat(g.everyone, g.own)
	if g.mount < 0 {
		return list, nil
	}
	judged := map[uint64]bool{} // group -> a process of the namespace is in it
	var order []uint64
	add := func(id uint64, sender bool) {
		if _, ok := judged[id]; !ok {
			order = append(order, id)
		}
		judged[id] = judged[id] || sender
	}
	for i := range r.ns.Sockets {
		if s := &r.ns.Sockets[i]; s.CgroupID != 0 && s.CgroupID != g.id && (s.Protocol == "tcp" && s.State == "LISTEN" || s.Protocol == "udp") {
			add(s.CgroupID, false)
		}
	}
	var failed error
	if parts.Has(state.PartSenders) && r.place.key != state.HostNS && g.inUse {
		for _, pid := range o.livesIn(r) {
			proc := fmt.Sprintf("/proc/%d", pid)
			group := groupOf(proc)
			id, err := g.pathID(group)
			if err != nil && failed == nil && groupOf(proc) == group { // else it went meanwhile
				failed = err
			}
			if id != 0 && id != g.id {
				add(id, true)
			}
		}
	}
	slices.Sort(order)
	for _, id := range order {
		for _, a := range g.programs(id) {
			a.Sends = judged[id]
			list = append(list, a)
		}
	}
	return list, failed
}

// livesIn lists the processes of a namespace: from the survey, where there was one, else from one walk over /proc for all
// namespaces.
func (o *observation) livesIn(r *reading) []int {
	var list []int
	if f := r.place.found; f != nil {
		for _, p := range f.Processes {
			list = append(list, p.PID)
		}
		return list
	}
	if o.inhabitants == nil {
		o.inhabitants = map[string][]int{}
		entries, _ := os.ReadDir("/proc")
		for _, e := range entries {
			pid, err := strconv.Atoi(e.Name())
			if err != nil {
				continue
			}
			if ns, err := os.Readlink("/proc/" + e.Name() + "/ns/net"); err == nil {
				o.inhabitants[ns] = append(o.inhabitants[ns], pid)
			}
		}
	}
	return o.inhabitants[fmt.Sprintf("net:[%d]", r.handle.Inode())]
}

// groupPrograms lists the programs at a control group that is open.
func groupPrograms(fd int, name string, flags uint32) (list []state.Agent) {
	for _, at := range []struct { // enum bpf_attach_type
		typ uint32
		dir string
	}{
		{0, "ingress"},
		{1, "egress"},
		{2, "sock_create"},
		{8, "bind4"},
		{9, "bind6"},
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
			list = append(list, state.Agent{
				Kind: "cgroup-bpf", Name: fmt.Sprintf("BPF program %d at control group %s (%s)", id, name, at.dir), Dir: at.dir, Program: id,
			})
		}
	}
	return list
}
