package state

import "time"

// A Holder is one thing that keeps a namespace alive.
type Holder struct {
	// Kind: "process", "thread" (a thread that is elsewhere than its process), "file" (an open descriptor of the
	// namespace), "mount" (a bind mount), "socket" (a socket that was made in it, held by a process elsewhere), "tun"
	// (a descriptor of a tun device in it), "kernel" (nothing visible).
	Kind string `json:"kind"`
	PID  int    `json:"pid,omitempty"`
	TID  int    `json:"tid,omitempty"`
	FD   int    `json:"fd,omitempty"`
	// Path of a mount, as seen in the mount namespace of PID; 0 = our own.
	Path    string `json:"path,omitempty"`
	Command string `json:"command,omitempty"`
}

// An Owner says who made a namespace, as far as paths and control groups tell.
type Owner struct {
	// Kind: "lab", "cni", "docker", "podman", "containerd", "kubernetes", "systemd", "ip-netns", "process" (unshare and the
	// like), "host" (the namespace that warren was called from), "init" (of PID 1, when that is another one), "hidden".
	Kind string `json:"kind"`
	// Name is the lab, container, pod or unit.
	Name string `json:"name,omitempty"`
	// ID is the container's or pod's full id.
	ID string `json:"id,omitempty"`
	// Evidence is where that was read: a path, a control group.
	Evidence string `json:"evidence,omitempty"`
}

// A Container lives in a namespace: in its own, or in that of another container, of its pod or of the host.
type Container struct {
	Kind string `json:"kind"` // as in [Owner]
	// Name is what its engine calls it, else the beginning of its ID, or the whole of one that somebody chose.
	Name string `json:"name"`
	ID   string `json:"id"`
	// Pod and PodID are of the pod that it belongs to, as its control group tells; without a name Pod is the id.
	Pod   string `json:"pod,omitempty"`
	PodID string `json:"pod_id,omitempty"`
	PID   int    `json:"pid"` // of its oldest process here
}

// A Process that lives in a namespace.
type Process struct {
	PID     int    `json:"pid"`
	Command string `json:"command"`
	UID     uint32 `json:"uid"`
	// What follows is read on demand (PartProcesses of a whole host).
	InnerPID int       `json:"inner_pid,omitempty"` // in its own PID namespace, when that is another one
	User     string    `json:"user,omitempty"`
	Args     []string  `json:"args,omitempty"`
	Started  time.Time `json:"started,omitzero"`
	Cgroup   string    `json:"cgroup,omitempty"` // path in the unified hierarchy
}
