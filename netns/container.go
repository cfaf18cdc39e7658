package netns

import (
	"context"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"warren/internal/owner"
	"warren/state"
)

// containerID is the length of the ID that container runtimes give: 32 bytes in hex. They show the first shortID of it.
const (
	containerID = 64
	shortID     = 12
)

// openContainer finds the namespace of a container, whatever runtime made it: by its control group, whose name has the ID
// (docker-ID.scope, /docker/ID, cri-containerd-ID.scope, crio-ID.scope, libpod-ID.scope), or by the name that its engine keeps.
func openContainer(ctx context.Context, ref, arg string) (*Handle, error) {
	pid, err := containerProcess(ctx, ref, arg)
	if err != nil {
		return nil, err
	}
	return openFile("/proc/"+strconv.Itoa(pid)+"/ns/net", ref)
}

// containerProcess finds the oldest process of a container. An ID, or as much of it as runtimes show, needs no more than the
// control groups; what is shorter may be a name, for which the processes that watch over containers are asked.
func containerProcess(ctx context.Context, ref, arg string) (int, error) {
	if arg == "" || len(arg) > maxContainerName || strings.ContainsFunc(arg, func(r rune) bool { return r < ' ' }) {
		return 0, &OpError{Op: "open", Object: ref, Kind: ErrBadName, Hint: "container: wants a name, or the beginning of an ID"}
	}
	pids, err := numbers("/proc")
	if err != nil {
		return 0, opError("open", ref, err)
	}
	found := map[string]int{} // which -> its oldest process
	if isHex(arg) && len(arg) >= shortID && len(arg) <= containerID {
		if err := byGroup(ctx, pids, arg, found); err != nil {
			return 0, opError("open", ref, err)
		}
	}
	if len(found) == 0 {
		if err := byName(ctx, pids, arg, found); err != nil {
			return 0, opError("open", ref, err)
		}
	}
	if len(found) == 0 && isHex(arg) && len(arg) < shortID {
		if err := byGroup(ctx, pids, arg, found); err != nil {
			return 0, opError("open", ref, err)
		}
	}
	switch ids := slices.Sorted(maps.Keys(found)); len(ids) {
	case 0:
		return 0, &OpError{Op: "open", Object: ref, Kind: ErrNotExist, Hint: "no running container has this name, or an ID that starts so"}
	case 1:
		return found[ids[0]], nil
	default:
		return 0, &OpError{Op: "open", Object: ref, Kind: ErrAmbiguous, Hint: "these are called so: " + strings.Join(ids, ", ")}
	}
}

// maxContainerName bounds what is looked for: Kubernetes' longest name is 253 characters, and it has a namespace of 63.
const maxContainerName = 320

// byGroup finds containers by what their ID begins with. The oldest of a container's processes is that of the lowest number.
func byGroup(ctx context.Context, pids []int, prefix string, found map[string]int) error {
	for _, pid := range pids {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
		if err != nil {
			continue // gone
		}
		for line := range strings.Lines(string(b)) {
			id := containerOf(strings.TrimSpace(line))
			if _, ok := found[id]; id != "" && !ok && strings.HasPrefix(id, prefix) {
				found[id] = pid
			}
		}
	}
	return nil
}

// byName finds containers and pods as people call them.
func byName(ctx context.Context, pids []int, name string, found map[string]int) error {
	s := &survey{users: map[uint32]string{}, boot: bootTime()}
	hints := owner.NewHints(owner.ReadRecord)
	processes := make([]state.Process, 0, len(pids))
	for _, pid := range pids {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		p := s.describe(pid)
		hints.Learn(p)
		processes = append(processes, p)
	}
	for _, c := range owner.Named(owner.Containers(processes, hints), name) {
		found[c.Kind+" "+c.ID] = c.PID
	}
	return nil
}

// containerOf returns the ID of the innermost container in a line of /proc/PID/cgroup, or "". A runtime's monitor
// (libpod-conmon-ID.scope) stands outside of the container that it watches; so does that of a pod (libpod_parent/ID/conmon), where
// the ID is the pod's.
func containerOf(line string) string {
	parts := strings.Split(line, "/")
	for i, part := range slices.Backward(parts) {
		if i > 0 && parts[i-1] == "libpod_parent" && !strings.HasPrefix(part, "libpod-") {
			continue
		}
		part = strings.TrimSuffix(part, ".scope")
		prefix, id := "", part
		if i := strings.LastIndexAny(part, "-:"); i >= 0 {
			prefix, id = part[:i], part[i+1:]
		}
		if len(id) == containerID && isHex(id) && !strings.HasSuffix(prefix, "conmon") {
			return id
		}
	}
	return ""
}

func isHex(s string) bool {
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
