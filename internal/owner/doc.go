// Package owner says who made a network namespace, from what can be seen of it: the paths that it is mounted on, the
// control groups and command lines of its processes. It is pure: paths and texts in, a [state.Owner]
// out; the one function that touches a file, [ReadRecord], is handed in.
//
// It follows the names that runtimes give: iproute2's /run/netns, Docker's /run/docker/netns, CNI's cni-UUID, Podman's
// netns-UUID and libpod-ID, the kubelet's kubepods groups, systemd's units (systemd.slice(5)), containerd's shims.
package owner
