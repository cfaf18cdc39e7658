package warren

import (
	"cmp"
	"slices"
	"strings"

	"warren/state"
)

// Listing makes lines of a snapshot's namespaces: of all of them, sorted by owner and name, or of those that have a name.
func Listing(s state.Snapshot, all bool) []NamespaceInfo {
	out := []NamespaceInfo{}
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		if !all && len(n.Names) == 0 {
			continue
		}
		info := NamespaceInfo{Name: n.Name, Owner: "other", State: "ok", Created: n.Created}
		describe(&info, n)
		if o := n.Owner; o != nil {
			info.Kind, info.Who = o.Kind, cmp.Or(o.Name, o.ID)
		}
		for _, c := range n.Containers {
			info.Containers = append(info.Containers, c.Name)
		}
		if len(n.Processes) > 0 {
			info.PID, info.Command = n.Processes[0].PID, n.Processes[0].Command
		} else {
			info.Held = held(n)
		}
		out = append(out, info)
	}
	if all {
		slices.SortStableFunc(out, func(a, b NamespaceInfo) int {
			return cmp.Or(cmp.Compare(kindOrder(a.Kind), kindOrder(b.Kind)), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Who, b.Who))
		})
	}
	return out
}

// kindOrder puts the host first, then what people made, then what nothing is known of.
func kindOrder(kind string) int {
	order := []string{"host", "init", "lab", "kubernetes", "docker", "podman", "containerd", "lxc", "cni", "systemd", "ip-netns", "process", "hidden"}
	if i := slices.Index(order, kind); i >= 0 {
		return i
	}
	return len(order) - 1
}

// held says by what a namespace without processes is kept alive.
func held(n *state.Namespace) string {
	for _, h := range n.Holders {
		switch h.Kind {
		case "mount":
			return "mount " + h.Path
		case "kernel":
			return "nothing that can be seen"
		default:
			return strings.TrimSpace(h.Kind + " of " + h.Command)
		}
	}
	return ""
}
