package owner_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/owner"
	"warren/state"
)

const pause = "9900aabbccddeeff9900aabbccddeeff9900aabbccddeeff9900aabbccddeeff"

const id = "3f4e1b0c9d8e7f60a1b2c3d4e5f60718293a4b5c6d7e8f90123456789abcdef0"

// TestOf goes through control groups and paths as they were seen on hosts.
func TestOf(t *testing.T) {
	hints := owner.NewHints(nil)
	for _, line := range []string{
		"/usr/bin/containerd-shim-runc-v2 -namespace default -id web -address /run/containerd/containerd.sock",
		"/usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id " + pause + " -address /run/containerd/containerd.sock",
		"/usr/bin/conmon --api-version 1 -c " + strings.Repeat("ab", 32) + " -u x -r /usr/bin/runc -n jolly_bell",
	} {
		hints.Learn(state.Process{Args: strings.Fields(line)})
	}
	hints.Name("0b1c2d3e-1111-2222-3333-444455556666", "shop/web-0")
	for _, c := range []struct {
		name, cgroup string
		e            owner.Evidence
		kind, who    string
	}{
		{name: "host", e: owner.Evidence{Self: true, Names: []string{"x"}}, kind: "host"},
		{name: "init", e: owner.Evidence{Init: true}, kind: "init"},
		{name: "lab", e: owner.Evidence{Mark: state.Mark{Lab: "shop", Node: "web"}, Names: []string{"shop.web"}}, kind: "lab", who: "shop"},
		{name: "ip-netns", e: owner.Evidence{Names: []string{"blue"}, Paths: []string{"/run/netns/blue"}}, kind: "ip-netns", who: "blue"},
		{name: "ip-netns-with-service", cgroup: "/system.slice/cron.service", e: owner.Evidence{Names: []string{"blue"}}, kind: "ip-netns", who: "blue"},
		{name: "cni", e: owner.Evidence{Names: []string{"cni-0b1c2d3e-1111-2222-3333-444455556666"}, Paths: []string{"/run/netns/cni-0b1c2d3e-1111-2222-3333-444455556666"}}, kind: "cni"},
		{name: "podman-path", e: owner.Evidence{Paths: []string{"/run/user/1000/netns/netns-0b1c2d3e-1111-2222-3333-444455556666"}}, kind: "podman"},
		{name: "docker-path", e: owner.Evidence{Paths: []string{"/run/docker/netns/2f1e3d4c5b6a"}}, kind: "docker"},
		{name: "docker-other-root", e: owner.Evidence{Paths: []string{"/srv/run/docker/netns/2f1e3d4c5b6a"}}, kind: "docker"},
		{name: "docker-cgroupfs", cgroup: "/docker/" + id, kind: "docker", who: id[:12]},
		{name: "docker-systemd", cgroup: "/system.slice/docker-" + id + ".scope", kind: "docker", who: id[:12]},
		{name: "docker-user-slice", cgroup: "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + id + ".scope", kind: "docker", who: id[:12]},
		{name: "podman", cgroup: "/machine.slice/libpod-" + strings.Repeat("cd", 32) + ".scope/container", kind: "podman", who: strings.Repeat("cd", 6)},
		{name: "podman-name", cgroup: "/libpod_parent/libpod-" + strings.Repeat("ab", 32), kind: "podman", who: "jolly_bell"},
		{name: "conmon-itself", cgroup: "/machine.slice/libpod-conmon-" + id + ".scope", kind: "process"},
		{name: "containerd", cgroup: "/default/web", kind: "containerd", who: "web"},
		{name: "containerd-hash", cgroup: "/default/" + strings.Repeat("ef", 32), kind: "containerd", who: strings.Repeat("ef", 6)},
		{name: "cri", cgroup: "/k8s.io/" + pause, kind: "kubernetes", who: pause[:12]},
		{name: "pod-cgroupfs", cgroup: "/kubepods/besteffort/pod0b1c2d3e-1111-2222-3333-444455556666/" + id, kind: "kubernetes", who: "shop/web-0"},
		{name: "pod-systemd", cgroup: "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0b1c2d3e_1111_2222_3333_444455556666.slice/cri-containerd-" + id + ".scope", kind: "kubernetes", who: "shop/web-0"},
		{name: "kind-in-docker", cgroup: "/docker/" + id + "/kubelet/kubepods/pod0b1c2d3e-1111-2222-3333-444455556666/" + strings.Repeat("12", 32), kind: "kubernetes", who: "shop/web-0"},
		{name: "crio", cgroup: "/kubepods.slice/kubepods-pod77.slice/crio-" + id + ".scope", kind: "kubernetes", who: "77"},
		{name: "lxc", cgroup: "/lxc.payload.box/init.scope", kind: "lxc", who: "box"},
		{name: "unit", cgroup: "/system.slice/private-net.service", kind: "systemd", who: "private-net.service"},
		{name: "login", cgroup: "/user.slice/user-1000.slice/session-3.scope", kind: "process", who: "sh"},
		{name: "user-manager", cgroup: "/user.slice/user-1000.slice/user@1000.service", kind: "process", who: "sh"},
		{name: "root-group", cgroup: "/", kind: "process", who: "sh"},
		{name: "file-only", e: owner.Evidence{Holders: []state.Holder{{Kind: "file", PID: 7, Command: "dockerd"}}}, kind: "process", who: "dockerd"},
		{name: "nothing", e: owner.Evidence{Holders: []state.Holder{{Kind: "kernel"}}}, kind: "hidden"},
		{name: "mark-before-docker", cgroup: "/docker/" + id, e: owner.Evidence{Mark: state.Mark{Lab: "l", Node: "n"}}, kind: "lab", who: "l"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.cgroup != "" {
				c.e.Processes = []state.Process{{PID: 7, Command: "/bin/sh -c true", Cgroup: c.cgroup}}
			}
			got := owner.Of(c.e, hints)
			if got.Kind != c.kind || c.who != "" && got.Name != c.who {
				t.Errorf("%+v, want %s %q", got, c.kind, c.who)
			}
			if got.Kind != "host" && got.Kind != "hidden" && got.Evidence == "" {
				t.Errorf("%+v without evidence", got)
			}
			if c.cgroup != "" && strings.Contains(c.cgroup, id) {
				owner.Of(c.e, nil) // without hints nothing breaks
			}
		})
	}
}

func TestPodOfLogDir(t *testing.T) {
	for dir, want := range map[string][2]string{
		"shop_web-0_0b1c": {"0b1c", "shop/web-0"}, "odd": {}, "a_b_": {}, "a_b_c_d": {}, "": {},
	} {
		uid, name, ok := owner.PodOfLogDir(dir)
		if diff := cmp.Diff(want, [2]string{uid, name}); diff != "" || ok != (want[0] != "") {
			t.Errorf("%q: %s", dir, diff)
		}
	}
}
