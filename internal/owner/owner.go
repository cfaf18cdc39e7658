package owner

import (
	"cmp"
	"path"
	"strconv"
	"strings"

	"warren/state"
)

// Kinds of owners, see [state.Owner].
const (
	Lab        = "lab"
	CNI        = "cni"
	Docker     = "docker"
	Podman     = "podman"
	Containerd = "containerd"
	Kubernetes = "kubernetes"
	LXC        = "lxc"
	Systemd    = "systemd"
	IPNetns    = "ip-netns"
	Process    = "process"
	Host       = "host"
	Init       = "init"
	Hidden     = "hidden"
)

// Evidence is what is seen of one namespace.
type Evidence struct {
	// Self: the program's own namespace. Init: that of process 1.
	Self, Init bool
	Mark       state.Mark
	Names      []string // below the directory of names
	Paths      []string // mounts, in any mount namespace
	Processes  []state.Process
	Holders    []state.Holder
}

// Of says who made the namespace. Hints may be nil.
func Of(e Evidence, hints *Hints) *state.Owner {
	switch {
	case e.Self:
		return &state.Owner{Kind: Host}
	case !e.Mark.IsZero():
		return &state.Owner{Kind: Lab, Name: e.Mark.Lab, Evidence: "mark " + e.Mark.AltName()}
	case e.Init:
		return &state.Owner{Kind: Init, Evidence: "process 1"}
	}
	if o := ofProcesses(e, hints); o != nil {
		return o
	}
	if o := ofPaths(e.Paths); o != nil {
		return o
	}
	if len(e.Names) > 0 {
		return &state.Owner{Kind: IPNetns, Name: e.Names[0], Evidence: "name " + e.Names[0]}
	}
	if o := ofUnits(e.Processes); o != nil {
		return o
	}
	if len(e.Processes) > 0 {
		p := e.Processes[0]
		return &state.Owner{Kind: Process, Name: command(p.Command), Evidence: processText(p.PID, p.Command)}
	}
	for _, h := range e.Holders {
		if h.PID != 0 {
			return &state.Owner{Kind: Process, Name: command(h.Command), Evidence: h.Kind + " of " + processText(h.PID, h.Command)}
		}
	}
	if len(e.Paths) > 0 {
		return &state.Owner{Kind: Process, Evidence: "mount " + e.Paths[0]}
	}
	return &state.Owner{Kind: Hidden}
}

// ofProcesses goes by the control group of the oldest process that has a telling one.
func ofProcesses(e Evidence, hints *Hints) *state.Owner {
	for _, p := range e.Processes {
		if o := ofCgroup(p.Cgroup, hints); o != nil {
			o.Evidence = "cgroup " + p.Cgroup
			return o
		}
	}
	return nil
}

// ofCgroup finds a container or pod in the path of a control group, the innermost first.
func ofCgroup(cgroup string, hints *Hints) *state.Owner {
	parts := strings.Split(strings.Trim(cgroup, "/"), "/")
	var found *state.Owner
	for i := len(parts) - 1; i >= 0 && found == nil; i-- {
		parent := ""
		if i > 0 {
			parent = parts[i-1]
		}
		found = ofPart(parts[i], parent, hints)
	}
	uid := podUID(parts)
	if uid == "" {
		return hints.name(found)
	}
	pod := &state.Owner{Kind: Kubernetes, ID: uid}
	if found != nil && found.Name != "" {
		pod.Name = found.Name
	}
	return hints.name(pod)
}

// ofPart reads one component of a control group's path.
func ofPart(part, parent string, hints *Hints) *state.Owner {
	name := strings.TrimSuffix(part, ".scope")
	if rest, ok := strings.CutPrefix(name, "lxc.payload."); ok {
		return &state.Owner{Kind: LXC, Name: rest, ID: rest}
	}
	prefix, id := "", name
	if i := strings.LastIndexAny(name, "-:"); i >= 0 && isContainerID(name[i+1:]) {
		prefix, id = name[:i], name[i+1:]
	}
	if strings.HasSuffix(prefix, "conmon") {
		return nil // the monitor, which stands outside
	}
	if shim, ok := hints.shim(id); ok {
		return &state.Owner{Kind: shimKind(shim), ID: id}
	}
	if !isContainerID(id) {
		return nil
	}
	switch {
	case strings.HasPrefix(prefix, "libpod"), strings.HasPrefix(parent, "libpod"):
		return &state.Owner{Kind: Podman, ID: id}
	case prefix == "docker", prefix == "" && parent == "docker", strings.HasSuffix(prefix, "docker"):
		return &state.Owner{Kind: Docker, ID: id}
	case strings.HasPrefix(prefix, "crio"):
		return &state.Owner{Kind: Kubernetes, ID: id}
	case strings.Contains(prefix, "containerd"), strings.HasPrefix(prefix, "nerdctl"), parent == "k8s.io", parent == "default":
		return &state.Owner{Kind: Containerd, ID: id}
	}
	if hints.isConmon(id) {
		return &state.Owner{Kind: Podman, ID: id}
	}
	return &state.Owner{Kind: Containerd, ID: id}
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

// ofPaths goes by where the namespace is mounted.
func ofPaths(paths []string) *state.Owner {
	for _, p := range paths {
		dir, file := path.Split(p)
		evidence := "mount " + p
		switch {
		case strings.HasSuffix(dir, "/docker/netns/"):
			return &state.Owner{Kind: Docker, ID: file, Evidence: evidence}
		case !strings.HasSuffix(dir, "/netns/"):
		case strings.HasPrefix(file, "cni-") && isUUID(file[len("cni-"):]):
			return &state.Owner{Kind: CNI, ID: file, Evidence: evidence}
		case strings.HasPrefix(file, "netns-") && isUUID(file[len("netns-"):]):
			return &state.Owner{Kind: Podman, ID: file, Evidence: evidence}
		}
	}
	return nil
}

// ofUnits goes by systemd's services.
func ofUnits(processes []state.Process) *state.Owner {
	for _, p := range processes {
		unit := path.Base(p.Cgroup)
		if strings.HasSuffix(unit, ".service") && !strings.HasPrefix(unit, "user@") {
			return &state.Owner{Kind: Systemd, Name: unit, Evidence: "cgroup " + p.Cgroup}
		}
	}
	return nil
}

// command is the program's name in a command line.
func command(line string) string {
	first, _, _ := strings.Cut(line, " ")
	return strings.Trim(cmp.Or(path.Base(first), first), "[]")
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

func processText(pid int, line string) string {
	return "process " + strconv.Itoa(pid) + " " + line
}
