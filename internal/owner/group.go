package owner

import (
	"strings"
)

// A group is what the path of a control group tells of a container.
type group struct {
	kind string
	id   string // of the innermost container; "" = of a pod all that is known
	pod  string // id of its pod, "" = none
}

// parseGroup finds a container or pod in the path of a control group, the innermost first.
func parseGroup(cgroup string, hints *Hints) (group, bool) {
	parts := strings.Split(strings.Trim(cgroup, "/"), "/")
	var g group
	for i := len(parts) - 1; i >= 0 && g.kind == ""; i-- {
		parent := ""
		if i > 0 {
			parent = parts[i-1]
		}
		g = parsePart(parts[i], parent, hints)
	}
	if uid := podUID(parts); uid != "" {
		g.kind, g.pod = Kubernetes, uid
	}
	return g, g.kind != ""
}

// parsePart reads one component of a control group's path; the zero group when it tells nothing.
func parsePart(part, parent string, hints *Hints) group {
	name := strings.TrimSuffix(part, ".scope")
	if rest, ok := strings.CutPrefix(name, "lxc.payload."); ok && rest != "" {
		return group{kind: LXC, id: rest}
	}
	prefix, id := "", name
	if i := strings.LastIndexAny(name, "-:"); i >= 0 && isContainerID(name[i+1:]) {
		prefix, id = name[:i], name[i+1:]
	}
	if strings.HasSuffix(prefix, "conmon") {
		return group{} // the monitor, which stands outside
	}
	if namespace, ok := hints.shim(id, parent); ok {
		return group{kind: shimKind(namespace), id: id}
	}
	if !isContainerID(id) {
		return group{}
	}
	switch {
	case strings.HasPrefix(prefix, "libpod"), strings.HasPrefix(parent, "libpod"):
		if prefix == "" && strings.HasPrefix(parent, "libpod_parent") {
			return group{} // a pod, which no process is in but through its containers
		}
		return group{kind: Podman, id: id, pod: libpodPod(parent)}
	case prefix == "docker", prefix == "" && parent == "docker", strings.HasSuffix(prefix, "docker"):
		return group{kind: Docker, id: id}
	case strings.HasPrefix(prefix, "crio"), parent == "k8s.io":
		return group{kind: Kubernetes, id: id}
	case strings.Contains(prefix, "containerd"), strings.HasPrefix(prefix, "nerdctl"), parent == "default":
		return group{kind: Containerd, id: id}
	}
	if hints.isConmon(id) {
		return group{kind: Podman, id: id, pod: libpodPod(parent)}
	}
	return group{kind: Containerd, id: id}
}

// libpodPod is the pod of Podman's whose group a container's group lies in: "ID" by cgroupfs,
// "machine-libpod_pod_ID.slice" by systemd.
func libpodPod(parent string) string {
	if isContainerID(parent) {
		return parent
	}
	name, ok := strings.CutSuffix(parent, ".slice")
	if i := strings.LastIndex(name, "libpod_pod_"); ok && i >= 0 && isContainerID(name[i+len("libpod_pod_"):]) {
		return name[i+len("libpod_pod_"):]
	}
	return ""
}

// shimKind is the runtime that keeps its containers in one of containerd's namespaces.
func shimKind(namespace string) string {
	switch namespace {
	case "moby":
		return Docker
	case "k8s.io":
		return Kubernetes
	}
	return Containerd
}

// podUID finds the kubelet's pod in a path: ".../pod1234-.../" or, by systemd, "kubepods-besteffort-pod1234_....slice".
func podUID(parts []string) string {
	kubelet := false
	for _, p := range parts {
		kubelet = kubelet || strings.HasPrefix(p, "kubepods")
		if !kubelet {
			continue
		}
		name, systemd := strings.CutSuffix(p, ".slice")
		if i := strings.LastIndex(name, "-pod"); systemd && i >= 0 {
			return strings.ReplaceAll(name[i+len("-pod"):], "_", "-")
		}
		if uid, ok := strings.CutPrefix(p, "pod"); ok && uid != "" {
			return uid
		}
	}
	return ""
}

// isContainerID: 32 bytes in hex, as all runtimes make them.
func isContainerID(s string) bool { return len(s) == 64 && isHex(s) }

// isUUID reports whether s looks like one: groups of hex.
func isUUID(s string) bool { return len(s) == 36 && isHex(strings.ReplaceAll(s, "-", "")) }

func isHex(s string) bool {
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}

// shortID is an id as runtimes show it.
func shortID(id string) string {
	if isContainerID(id) {
		return id[:12]
	}
	return id
}
