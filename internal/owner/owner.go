package owner

import (
	"cmp"
	"path"
	"slices"
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
	e.Processes = byAge(e.Processes)
	made := ofPaths(e.Paths, hints)
	if o := ofContainers(e.Processes, made != nil, hints); o != nil {
		return o
	}
	if made != nil {
		return made
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

// byAge sorts a copy, the oldest first; processes whose start is not known come last.
func byAge(processes []state.Process) []state.Process {
	out := slices.Clone(processes)
	slices.SortStableFunc(out, func(a, b state.Process) int {
		if a.Started.IsZero() != b.Started.IsZero() {
			if a.Started.IsZero() {
				return 1
			}
			return -1
		}
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.PID, b.PID))
	})
	return out
}

// ofContainers goes by the control group of the oldest process. A container that came later is a guest: one that shares the
// network of its host lives in the namespace of the engine itself. Where a runtime has mounted the namespace (ours), an older
// guest is that of the container: a program that was sent in before the container's own began.
func ofContainers(processes []state.Process, ours bool, hints *Hints) *state.Owner {
	for _, p := range processes {
		if g, ok := parseGroup(p.Cgroup, hints); ok {
			o := hints.owner(g)
			o.Evidence = "cgroup " + p.Cgroup
			return o
		}
		if !ours {
			break
		}
	}
	return nil
}

// Containers lists the containers that have processes in a namespace, the oldest first. Hints may be nil.
func Containers(processes []state.Process, hints *Hints) []state.Container {
	var out []state.Container
	seen := map[group]bool{}
	for _, p := range byAge(processes) {
		g, ok := parseGroup(p.Cgroup, hints)
		if !ok || seen[g] {
			continue
		}
		seen[g] = true
		c := state.Container{Kind: g.kind, ID: g.id, Name: hints.container(g), PodID: g.pod, PID: p.PID}
		if g.pod != "" {
			c.Pod = hints.pod(g)
		}
		out = append(out, c)
	}
	return out
}

// ofPaths goes by where the namespace is mounted.
func ofPaths(paths []string, hints *Hints) *state.Owner {
	for _, p := range paths {
		dir, file := path.Split(p)
		evidence := "mount " + p
		switch {
		case strings.HasSuffix(dir, "/docker/netns/"), hints.isDockerDir(dir):
			if file == "default" {
				continue // the engine's own, which it mounts for containers that share it
			}
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

// ofUnits goes by systemd's services, the innermost first: a unit may have groups of its own below it.
func ofUnits(processes []state.Process) *state.Owner {
	for _, p := range processes {
		parts := strings.Split(p.Cgroup, "/")
		for _, unit := range slices.Backward(parts) {
			if strings.HasSuffix(unit, ".service") && !strings.HasPrefix(unit, "user@") {
				return &state.Owner{Kind: Systemd, Name: unit, Evidence: "cgroup " + p.Cgroup}
			}
		}
	}
	return nil
}

// command is the program's name in a command line.
func command(line string) string {
	first, _, _ := strings.Cut(line, " ")
	return strings.Trim(cmp.Or(path.Base(first), first), "[]")
}

func processText(pid int, line string) string {
	return "process " + strconv.Itoa(pid) + " " + line
}
