package owner

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"warren/state"
)

// owner makes the owner of what a group tells: the pod, where the container has one.
func (h *Hints) owner(g group) *state.Owner {
	if g.pod != "" {
		return &state.Owner{Kind: g.kind, ID: g.pod, Name: h.pod(g)}
	}
	if g.kind == Kubernetes {
		return &state.Owner{Kind: g.kind, ID: g.id, Name: h.sandbox(g)}
	}
	return &state.Owner{Kind: g.kind, ID: g.id, Name: h.container(g)}
}

// container names a container: as its engine does, else by its id.
func (h *Hints) container(g group) string {
	return h.name(g.id, shortID(g.id), func() string {
		switch g.kind {
		case Docker:
			for _, e := range h.docker {
				if name := dockerName(h.file(root(e.pid, e.dataRoot+"/containers/"+g.id+"/config.v2.json"))); name != "" {
					return name
				}
			}
		case Kubernetes, Containerd:
			notes := h.bundle(g).Annotations
			return cmp.Or(notes["io.kubernetes.cri.container-name"], notes["nerdctl/name"])
		}
		return ""
	})
}

// pod names a pod; g is one of its containers.
func (h *Hints) pod(g group) string {
	return h.name(g.pod, shortID(g.pod), func() string {
		if g.kind == Kubernetes {
			return criPod(h.bundle(g))
		}
		// Podman gives a pod's name to its containers as the name of their host, unless it was told another one. The first of
		// them is the infra container, which is called after the pod's id.
		of := g.id
		for id, c := range h.conmons {
			if c.name == shortID(g.pod)+"-infra" {
				of = id
			}
		}
		return h.bundle(group{kind: Podman, id: of}).Hostname
	})
}

// sandbox names the pod of a container that the kubelet has not put into a group of the pod's.
func (h *Hints) sandbox(g group) string {
	if name := criPod(h.bundle(g)); name != "" {
		return name
	}
	return h.container(g)
}

// name is the name of an id, which find looks up once; else instead.
func (h *Hints) name(id, instead string, find func() string) string {
	if h == nil {
		return instead
	}
	name, ok := h.names[id]
	if !ok {
		if name = h.conmons[id].name; name == "" {
			name = find()
		}
		h.names[id] = name
	}
	return cmp.Or(name, instead)
}

// A bundle is what we read of a container's config.json (the OCI runtime specification).
type bundle struct {
	Hostname    string            `json:"hostname"`
	Annotations map[string]string `json:"annotations"`
}

// bundle reads the configuration that a container was started with, where its watching process has it; empty when it cannot be
// found.
func (h *Hints) bundle(g group) (b bundle) {
	if h == nil {
		return b
	}
	switch list := h.shims[g.id]; {
	case len(list) > 0:
		s := list[0]
		for _, other := range list {
			if shimKind(other.namespace) == g.kind {
				s = other
			}
		}
		h.parse("/proc/"+strconv.Itoa(s.pid)+"/cwd/config.json", &b)
	case g.kind == Kubernetes && h.cri != 0:
		// The containers of a pod share a shim; their bundles lie side by side.
		h.parse("/proc/"+strconv.Itoa(h.cri)+"/cwd/../"+g.id+"/config.json", &b)
	case h.conmons[g.id].bundle != "":
		c := h.conmons[g.id]
		h.parse(root(c.pid, c.bundle+"/config.json"), &b)
	}
	return b
}

// criPod is the pod's name in what containerd's CRI notes on a container, or CRI-O.
func criPod(b bundle) string {
	name := cmp.Or(b.Annotations["io.kubernetes.cri.sandbox-name"], b.Annotations["io.kubernetes.pod.name"])
	if ns := cmp.Or(b.Annotations["io.kubernetes.cri.sandbox-namespace"], b.Annotations["io.kubernetes.pod.namespace"]); name != "" && ns != "" {
		return ns + "/" + name
	}
	return name
}

// dockerName reads the record that Docker keeps of a container.
func dockerName(record []byte) string {
	var c struct{ Name string }
	if json.Unmarshal(record, &c) != nil {
		return ""
	}
	return strings.TrimPrefix(c.Name, "/")
}

// engine finds out where a dockerd keeps what: by its options, its configuration (daemon.json), else where it does by itself.
func (h *Hints) engine(p state.Process) engine {
	e := engine{pid: p.PID, dataRoot: option(p.Args, "--data-root", "-g"), execNS: option(p.Args, "--exec-root")}
	data, config, run := "/var/lib/docker", "/etc/docker/daemon.json", "/var/run/docker"
	if p.UID != 0 { // rootless: below the user's directories (dockerd-rootless.sh)
		env := environment(h.file("/proc/" + strconv.Itoa(p.PID) + "/environ"))
		data = cmp.Or(env["XDG_DATA_HOME"], env["HOME"]+"/.local/share") + "/docker"
		config = cmp.Or(env["XDG_CONFIG_HOME"], env["HOME"]+"/.config") + "/docker/daemon.json"
		run = env["XDG_RUNTIME_DIR"] + "/docker"
	}
	var c struct {
		DataRoot string `json:"data-root"`
		ExecRoot string `json:"exec-root"`
	}
	h.parse(root(p.PID, cmp.Or(option(p.Args, "--config-file"), config)), &c)
	e.dataRoot = cmp.Or(e.dataRoot, c.DataRoot, data)
	e.execNS = cmp.Or(e.execNS, c.ExecRoot, run) + "/netns/"
	return e
}

func environment(b []byte) map[string]string {
	env := map[string]string{}
	for v := range strings.SplitSeq(string(b), "\x00") {
		if name, value, ok := strings.Cut(v, "="); ok {
			env[name] = value
		}
	}
	return env
}

// file reads a file; what cannot be read is empty.
func (h *Hints) file(path string) []byte {
	if h.read == nil {
		return nil
	}
	b, err := h.read(path)
	if err != nil {
		return nil
	}
	return b
}

// parse reads a file of JSON; what cannot be read leaves v as it is.
func (h *Hints) parse(path string, v any) {
	if b := h.file(path); b != nil {
		_ = json.Unmarshal(b, v) // half of it, then: better than none
	}
}

// PodOfLogDir reads the kubelet's directory of a pod's logs, "NAMESPACE_NAME_UID" below /var/log/pods.
func PodOfLogDir(dir string) (uid, name string, ok bool) {
	f := strings.Split(dir, "_")
	if len(f) != 3 || f[0] == "" || f[1] == "" || f[2] == "" {
		return "", "", false
	}
	return f[2], f[0] + "/" + f[1], true
}
