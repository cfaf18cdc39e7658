package kernel

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"warren/internal/owner"
	"warren/state"
)

// podLogs is where the kubelet has a directory for each pod, which tells its name.
const podLogs = "/var/log/pods"

// nameOwners says of each namespace that was found who made it.
func (o *observation) nameOwners() {
	hints := owner.NewHints()
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
		who := owner.Of(e, hints)
		if who.Name == "" || strings.HasPrefix(who.ID, who.Name) {
			if name := lookUpName(who, hints); name != "" {
				who.Name = name
			}
		}
		r.ns.Owner = who
		r.ns.Read |= state.PartOwner
	}
}

// lookUpName reads the name of a container or pod where its engine keeps it. What cannot be read has none.
func lookUpName(who *state.Owner, hints *owner.Hints) string {
	switch who.Kind {
	case owner.Docker:
		for _, root := range hints.DockerRoots() {
			b, err := os.ReadFile(filepath.Join(root, "containers", filepath.Base(who.ID), "config.v2.json"))
			var config struct{ Name string }
			if err == nil && json.Unmarshal(b, &config) == nil {
				return strings.TrimPrefix(config.Name, "/")
			}
		}
	case owner.Kubernetes:
		entries, _ := os.ReadDir(podLogs)
		for _, e := range entries {
			if uid, name, ok := owner.PodOfLogDir(e.Name()); ok && uid == who.ID {
				return name
			}
		}
	}
	return ""
}
