package owner

import (
	"path"
	"strconv"
	"strings"

	"warren/state"
)

// Hints are what the rest of the host tells about containers: the processes that watch over them, and names that were
// looked up. A nil Hints knows nothing.
type Hints struct {
	shims  map[string]string // id -> containerd's namespace
	conmon map[string]string // id -> name
	names  map[string]string // id of a container or pod -> name
	docker []string
}

// NewHints returns none yet.
func NewHints() *Hints {
	return &Hints{shims: map[string]string{}, conmon: map[string]string{}, names: map[string]string{}}
}

// Learn looks at any process of the host.
func (h *Hints) Learn(p state.Process) {
	if len(p.Args) == 0 {
		return
	}
	switch base := path.Base(p.Args[0]); {
	case strings.HasPrefix(base, "containerd-shim"):
		if id := option(p.Args, "-id", "--id"); id != "" {
			h.shims[id] = option(p.Args, "-namespace", "--namespace")
		}
	case base == "conmon":
		if id := option(p.Args, "-c", "--cid"); id != "" {
			h.conmon[id] = option(p.Args, "-n", "--name")
		}
	case base == "dockerd":
		root := option(p.Args, "--data-root", "-g")
		if root == "" {
			root = "/var/lib/docker"
		}
		h.docker = append(h.docker, "/proc/"+strconv.Itoa(p.PID)+"/root"+root)
	}
}

// DockerRoots are the directories in which running Docker engines keep their containers' records
// (containers/ID/config.v2.json).
func (h *Hints) DockerRoots() []string { return h.docker }

// Name says what the container or pod of an id is called.
func (h *Hints) Name(id, name string) {
	if name != "" {
		h.names[id] = name
	}
}

func (h *Hints) shim(id string) (namespace string, ok bool) {
	if h == nil {
		return "", false
	}
	namespace, ok = h.shims[id]
	return namespace, ok
}

func (h *Hints) isConmon(id string) bool {
	if h == nil {
		return false
	}
	_, ok := h.conmon[id]
	return ok
}

// name fills in the name of a container or pod: as it was learned, else the beginning of its id, as runtimes show it.
func (h *Hints) name(o *state.Owner) *state.Owner {
	if o == nil || o.Name != "" {
		return o
	}
	if h != nil {
		if name := h.names[o.ID]; name != "" {
			o.Name = name
			return o
		}
		if name := h.conmon[o.ID]; name != "" {
			o.Name = name
			return o
		}
	}
	o.Name = o.ID
	if isContainerID(o.ID) {
		o.Name = o.ID[:12]
	}
	return o
}

// option is the value of a command line's option: "-x v", "--x v" or "--x=v".
func option(args []string, names ...string) string {
	for i, a := range args {
		for _, n := range names {
			if a == n && i+1 < len(args) {
				return args[i+1]
			}
			if v, ok := strings.CutPrefix(a, n+"="); ok {
				return v
			}
		}
	}
	return ""
}

// PodOfLogDir reads the kubelet's directory of a pod's logs, "NAMESPACE_NAME_UID" below /var/log/pods.
func PodOfLogDir(dir string) (uid, name string, ok bool) {
	f := strings.Split(dir, "_")
	if len(f) != 3 || f[0] == "" || f[1] == "" || f[2] == "" {
		return "", "", false
	}
	return f[2], f[0] + "/" + f[1], true
}
