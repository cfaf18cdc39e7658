package draw

import (
	"fmt"
	"slices"
	"strings"

	"warren/state"
)

// around keeps the rooms with these keys, the nets that they are plugged into, and of the other rooms those on such a net,
// with no more than that of what they are plugged into.
func (g graph) around(keys []string) graph {
	keep := make([]bool, len(g.nets))
	asked := func(r room) bool { return slices.Contains(keys, r.key) }
	for _, r := range g.rooms {
		for _, p := range r.plugs {
			keep[p.net] = keep[p.net] || asked(r)
		}
	}
	var out graph
	renumber := make([]int, len(g.nets))
	for i, n := range g.nets {
		if keep[i] {
			renumber[i] = len(out.nets)
			out.nets = append(out.nets, n)
		}
	}
	for _, r := range g.rooms {
		var plugs []plug
		for _, p := range r.plugs {
			if keep[p.net] {
				p.net = renumber[p.net]
				plugs = append(plugs, p)
			}
		}
		mine := asked(r)
		if !mine && len(plugs) == 0 {
			continue
		}
		r.plugs = plugs
		if !mine {
			r.others = nil
		}
		out.rooms = append(out.rooms, r)
	}
	return out
}

// labels says what people call a namespace that has no name: its container, pod, unit or program; and who made it, where a
// name does not tell.
func labels(n *state.Namespace) (label, detail string) {
	o := n.Owner
	if !strings.HasPrefix(n.Name, "cookie:") {
		if o == nil || o.Kind == "lab" || o.Kind == "ip-netns" || o.Kind == "host" {
			return "", ""
		}
		return "", strings.TrimSpace(o.Kind + " " + o.Name)
	}
	switch {
	case o != nil && o.Name != "":
		return o.Name, o.Kind
	case o != nil && o.ID != "":
		return o.ID[:min(12, len(o.ID))], o.Kind
	case len(n.Processes) > 0:
		return fmt.Sprintf("pid %d", n.Processes[0].PID), program(n.Processes[0].Command)
	case o != nil && o.Kind == "hidden":
		return n.Name, "hidden"
	}
	return n.Name, ""
}

// program is the name of the program in a command line.
func program(command string) string {
	name, _, _ := strings.Cut(command, " ")
	return name[strings.LastIndexByte(name, '/')+1:]
}
