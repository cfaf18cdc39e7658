package kernel

import (
	"os"
	"slices"

	"warren/internal/owner"
	"warren/state"
)

// podLogs is where the kubelet has a directory for each pod, which tells its name.
const podLogs = "/var/log/pods"

// nameOwners says of each namespace that was found who made it, and which containers live in it.
func (o *observation) nameOwners() {
	hints := owner.NewHints(owner.ReadRecord)
	entries, _ := os.ReadDir(podLogs) // there is none where no kubelet is
	for _, e := range entries {
		if uid, name, ok := owner.PodOfLogDir(e.Name()); ok {
			hints.Name(uid, name)
		}
	}
	for i := range o.readings {
		if f := o.readings[i].place.found; f != nil {
			for _, p := range f.Processes {
				hints.Learn(p)
			}
		}
	}
	for i := range o.readings {
		r := &o.readings[i]
		f := r.place.found
		if f == nil {
			continue
		}
		e := owner.Evidence{
			Self: f.Self, Init: f.Init, Mark: r.ns.Mark, Names: f.Names, Processes: f.Processes, Holders: f.Holders, Paths: f.Paths,
		}
		for _, h := range f.Holders {
			if h.Kind == "mount" && h.PID != 0 {
				e.Paths = append(slices.Clip(e.Paths), h.Path)
			}
		}
		r.ns.Owner, r.ns.Containers = owner.Of(e, hints), owner.Containers(f.Processes, hints)
		r.ns.Read |= state.PartOwner
	}
}
