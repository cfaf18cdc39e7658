package owner

import (
	"path"
	"strconv"
	"strings"

	"warren/state"
)

// Hints are what the rest of the host tells about containers: the processes that watch over them, and the names that engines
// keep in files. A nil Hints knows nothing.
type Hints struct {
	shims   map[string][]shim // id -> those that watch over a container of that id
	cri     int               // a shim of the kubelet's containers
	conmons map[string]conmon // id -> its monitor
	names   map[string]string // id of a container or pod -> name
	docker  []engine
	read    func(path string) ([]byte, error)
}

// A shim is containerd's process beside a container. Its working directory is the container's bundle.
type shim struct {
	namespace string // containerd's
	pid       int
}

// A conmon is Podman's and CRI-O's process beside a container.
type conmon struct {
	name, bundle string
	pid          int
}

// An engine is a dockerd.
type engine struct {
	pid              int
	dataRoot, execNS string // as its own mount namespace has them; the latter is where it mounts network namespaces
}

// NewHints returns none yet. Read reads a file of which a process tells that it holds a name, mostly below /proc/PID/root; nil
// = none can be read.
func NewHints(read func(path string) ([]byte, error)) *Hints {
	return &Hints{shims: map[string][]shim{}, conmons: map[string]conmon{}, names: map[string]string{}, read: read}
}

// Learn looks at any process of the host.
func (h *Hints) Learn(p state.Process) {
	if len(p.Args) == 0 {
		return
	}
	switch base := path.Base(p.Args[0]); {
	case strings.HasPrefix(base, "containerd-shim"):
		if id := option(p.Args, "-id", "--id"); id != "" {
			s := shim{namespace: option(p.Args, "-namespace", "--namespace"), pid: p.PID}
			h.shims[id] = append(h.shims[id], s)
			if s.namespace == "k8s.io" && h.cri == 0 {
				h.cri = p.PID
			}
		}
	case base == "conmon":
		if id := option(p.Args, "-c", "--cid"); id != "" {
			h.conmons[id] = conmon{name: option(p.Args, "-n", "--name"), bundle: option(p.Args, "-b", "--bundle"), pid: p.PID}
		}
	case base == "dockerd":
		h.docker = append(h.docker, h.engine(p))
	}
}

// Name says what the container or pod of an id is called.
func (h *Hints) Name(id, name string) {
	if name != "" {
		h.names[id] = name
	}
}

// shim finds the container of an id, among those of that id the one of the containerd namespace that its group lies in.
func (h *Hints) shim(id, parent string) (namespace string, ok bool) {
	if h == nil || len(h.shims[id]) == 0 {
		return "", false
	}
	for _, s := range h.shims[id] {
		if s.namespace == parent {
			return parent, true
		}
	}
	return h.shims[id][0].namespace, true
}

func (h *Hints) isConmon(id string) bool {
	if h == nil {
		return false
	}
	_, ok := h.conmons[id]
	return ok
}

// isDockerDir reports whether a Docker engine mounts its namespaces in a directory.
func (h *Hints) isDockerDir(dir string) bool {
	if h == nil {
		return false
	}
	for _, e := range h.docker {
		if dir == e.execNS {
			return true
		}
	}
	return false
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

// root is a path as another process sees it.
func root(pid int, file string) string { return "/proc/" + strconv.Itoa(pid) + "/root" + file }
