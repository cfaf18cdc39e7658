package netns

import (
	"context"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// containerID is the length of the ID that container runtimes give: 32 bytes in hex.
const containerID = 64

// openContainer finds the namespace of a container by its control group, whatever runtime made it: they all put the ID
// into the group's name (docker-ID.scope, /docker/ID, cri-containerd-ID.scope, crio-ID.scope, libpod-ID.scope).
func openContainer(ctx context.Context, ref, arg string) (*Handle, error) {
	pid, err := containerProcess(ctx, ref, arg)
	if err != nil {
		return nil, err
	}
	return openFile("/proc/"+strconv.Itoa(pid)+"/ns/net", ref)
}

// containerProcess finds the oldest process of a container, as far as numbers tell.
func containerProcess(ctx context.Context, ref, arg string) (int, error) {
	if arg == "" || len(arg) > containerID || !isHex(arg) {
		return 0, &OpError{Op: "open", Object: ref, Kind: ErrBadName, Hint: "container: wants the beginning of an ID, in hex"}
	}
	pids, err := numbers("/proc")
	if err != nil {
		return 0, opError("open", ref, err)
	}
	first := map[string]int{} // ID -> its oldest process, as far as numbers tell
	for _, pid := range pids {
		if err := context.Cause(ctx); err != nil {
			return 0, opError("open", ref, err)
		}
		b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
		if err != nil {
			continue // gone
		}
		for line := range strings.Lines(string(b)) {
			id := containerOf(strings.TrimSpace(line))
			if _, ok := first[id]; id != "" && !ok && strings.HasPrefix(id, arg) {
				first[id] = pid
			}
		}
	}
	switch found := slices.Sorted(maps.Keys(first)); len(found) {
	case 0:
		return 0, &OpError{Op: "open", Object: ref, Kind: ErrNotExist, Hint: "no running container has an ID that starts so"}
	case 1:
		return first[found[0]], nil
	default:
		return 0, &OpError{Op: "open", Object: ref, Kind: ErrAmbiguous, Hint: "these start so: " + strings.Join(found, ", ")}
	}
}

// containerOf returns the ID of the innermost container in a line of /proc/PID/cgroup, or "". A runtime's monitor
// (libpod-conmon-ID.scope) stands outside of the container that it watches.
func containerOf(line string) string {
	parts := strings.Split(line, "/")
	slices.Reverse(parts)
	for _, part := range parts {
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
