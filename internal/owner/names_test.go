package owner_test

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"warren/internal/owner"
	"warren/state"
)

// files is a host's file system; what is not in it cannot be read.
type files map[string]string

func (f files) read(path string) ([]byte, error) {
	if text, ok := f[path]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

// at makes a process that began that many seconds after the machine.
func at(second, pid int, cgroup, line string) state.Process {
	return state.Process{PID: pid, Command: line, Args: strings.Fields(line), Cgroup: cgroup, Started: time.Unix(int64(second), 0)}
}

func hex(pair string) string { return strings.Repeat(pair, 32) }

// TestContainers goes through hosts as they were seen: who is called how, and who shares a namespace with whom.
func TestContainers(t *testing.T) {
	pod, uid := hex("0d"), "0b1c2d3e-1111-2222-3333-444455556666"
	for _, c := range []struct {
		name  string
		hosts []state.Process // the processes that are elsewhere
		files files
		e     owner.Evidence
		owner string
		want  []state.Container
	}{
		{
			name:  "docker-by-config",
			hosts: []state.Process{at(1, 5, "/", "dockerd")},
			files: files{
				"/proc/5/root/etc/docker/daemon.json":                            `{"data-root": "/srv/d"}`,
				"/proc/5/root/srv/d/containers/" + hex("ab") + "/config.v2.json": `{"Name": "/web", "ID": "x"}`,
			},
			e:     owner.Evidence{Processes: []state.Process{at(9, 40, "/docker/"+hex("ab"), "httpd")}},
			owner: "docker web " + hex("ab"),
			want:  []state.Container{{Kind: "docker", Name: "web", ID: hex("ab"), PID: 40}},
		},
		{
			name:  "docker-by-option",
			hosts: []state.Process{at(1, 5, "/", "/usr/sbin/dockerd --data-root=/x --config-file /c.json"), at(1, 6, "/", "dockerd")},
			files: files{
				"/proc/5/root/c.json": `{"data-root": "/y"}`,
				"/proc/6/root/var/lib/docker/containers/" + hex("ab") + "/config.v2.json": `{broken`,
				"/proc/5/root/x/containers/" + hex("ab") + "/config.v2.json":              `{"Name": "/web"}`,
				"/proc/5/root/y/containers/" + hex("ab") + "/config.v2.json":              `{"Name": "/wrong"}`,
			},
			e:     owner.Evidence{Processes: []state.Process{at(9, 40, "/system.slice/docker-"+hex("ab")+".scope", "httpd")}},
			owner: "docker web " + hex("ab"),
			want:  []state.Container{{Kind: "docker", Name: "web", ID: hex("ab"), PID: 40}},
		},
		{
			name:  "docker-rootless",
			hosts: []state.Process{{PID: 5, UID: 1000, Args: []string{"dockerd", "--rootless"}}},
			files: files{
				"/proc/5/environ": "PATH=/bin\x00HOME=/home/ann\x00XDG_RUNTIME_DIR=/run/user/1000\x00",
				"/proc/5/root/home/ann/.local/share/docker/containers/" + hex("ab") + "/config.v2.json": `{"Name": "/web"}`,
			},
			e:     owner.Evidence{Processes: []state.Process{at(9, 40, "/user.slice/docker-"+hex("ab")+".scope", "httpd")}},
			owner: "docker web " + hex("ab"),
			want:  []state.Container{{Kind: "docker", Name: "web", ID: hex("ab"), PID: 40}},
		},
		{
			name:  "unreadable",
			hosts: []state.Process{at(1, 5, "/", "dockerd")},
			e:     owner.Evidence{Processes: []state.Process{at(9, 40, "/docker/"+hex("ab"), "httpd")}},
			owner: "docker abababababab " + hex("ab"),
			want:  []state.Container{{Kind: "docker", Name: "abababababab", ID: hex("ab"), PID: 40}},
		},
		{
			name: "host-network",
			e: owner.Evidence{
				Paths:     []string{"/run/docker/netns/default"},
				Processes: []state.Process{at(9, 40, "/docker/"+hex("ab"), "httpd"), at(3, 50, "/system.slice/docker.service", "dockerd")},
			},
			owner: "systemd docker.service ",
			want:  []state.Container{{Kind: "docker", Name: "abababababab", ID: hex("ab"), PID: 40}},
		},
		{
			name: "joined-and-visited",
			e: owner.Evidence{Processes: []state.Process{
				at(20, 10, "/user.slice/session-1.scope", "tcpdump"), at(9, 40, "/docker/"+hex("ab"), "httpd"), at(12, 30, "/docker/"+hex("cd"), "sleep"),
			}},
			owner: "docker abababababab " + hex("ab"),
			want: []state.Container{
				{Kind: "docker", Name: "abababababab", ID: hex("ab"), PID: 40}, {Kind: "docker", Name: "cdcdcdcdcdcd", ID: hex("cd"), PID: 30},
			},
		},
		{
			name: "visitor-was-first", // a runtime's mount says whose namespace it is
			e: owner.Evidence{
				Paths:     []string{"/run/netns/cni-" + uid},
				Processes: []state.Process{at(2, 10, "/user.slice/session-1.scope", "tcpdump"), at(9, 40, "/default/web", "httpd")},
			},
			hosts: []state.Process{at(8, 39, "/", "containerd-shim-runc-v2 -namespace default -id web")},
			owner: "containerd web web",
			want:  []state.Container{{Kind: "containerd", Name: "web", ID: "web", PID: 40}},
		},
		{
			name:  "same-id-in-two-namespaces",
			hosts: []state.Process{at(8, 39, "/", "containerd-shim-runc-v2 -namespace default -id web"), at(8, 38, "/", "containerd-shim-runc-v2 -namespace k8s.io -id web")},
			files: files{
				"/proc/38/cwd/config.json": `{"annotations": {"io.kubernetes.cri.sandbox-name": "web-0", "io.kubernetes.cri.sandbox-namespace": "shop"}}`,
				"/proc/39/cwd/config.json": `{"annotations": {"nerdctl/name": "other"}}`,
			},
			e:     owner.Evidence{Processes: []state.Process{at(9, 40, "/k8s.io/web", "httpd")}},
			owner: "kubernetes shop/web-0 web",
			want:  []state.Container{{Kind: "kubernetes", Name: "web", ID: "web", PID: 40}},
		},
		{
			name:  "nerdctl",
			hosts: []state.Process{at(8, 39, "/", "containerd-shim-runc-v2 -namespace default -id "+hex("ab"))},
			files: files{"/proc/39/cwd/config.json": `{"annotations": {"nerdctl/name": "shop"}}`},
			e:     owner.Evidence{Processes: []state.Process{at(9, 40, "/system.slice/nerdctl-"+hex("ab")+".scope", "httpd")}},
			owner: "containerd shop " + hex("ab"),
			want:  []state.Container{{Kind: "containerd", Name: "shop", ID: hex("ab"), PID: 40}},
		},
		{
			name:  "kubelet",
			hosts: []state.Process{at(8, 39, "/", "containerd-shim-runc-v2 -namespace k8s.io -id "+hex("ab"))},
			files: files{
				"/proc/39/cwd/config.json":                      `{"annotations": {"io.kubernetes.cri.sandbox-name": "web-0", "io.kubernetes.cri.sandbox-namespace": "shop"}}`,
				"/proc/39/cwd/../" + hex("cd") + "/config.json": `{"annotations": {"io.kubernetes.cri.container-name": "nginx"}}`,
			},
			e: owner.Evidence{Processes: []state.Process{
				at(9, 40, "/kubepods/besteffort/pod"+uid+"/"+hex("ab"), "pause"), at(11, 41, "/kubepods/besteffort/pod"+uid+"/"+hex("cd"), "nginx"),
			}},
			owner: "kubernetes shop/web-0 " + uid,
			want: []state.Container{
				{Kind: "kubernetes", Name: "abababababab", ID: hex("ab"), Pod: "shop/web-0", PodID: uid, PID: 40},
				{Kind: "kubernetes", Name: "nginx", ID: hex("cd"), Pod: "shop/web-0", PodID: uid, PID: 41},
			},
		},
		{
			name: "podman-pod",
			hosts: []state.Process{
				at(8, 39, "/libpod_parent/"+pod+"/conmon", "conmon -c "+hex("ab")+" -b /s/"+hex("ab")+"/userdata -n "+pod[:12]+"-infra"),
				at(8, 38, "/libpod_parent/"+pod+"/conmon", "conmon -c "+hex("cd")+" -b /s/"+hex("cd")+"/userdata -n web"),
			},
			files: files{"/proc/39/root/s/" + hex("ab") + "/userdata/config.json": `{"hostname": "shop"}`},
			e: owner.Evidence{Processes: []state.Process{
				at(9, 40, "/libpod_parent/"+pod+"/libpod-"+hex("ab"), "catatonit"), at(11, 41, "/libpod_parent/"+pod+"/libpod-"+hex("cd"), "nginx"),
			}},
			owner: "podman shop " + pod,
			want: []state.Container{
				{Kind: "podman", Name: pod[:12] + "-infra", ID: hex("ab"), Pod: "shop", PodID: pod, PID: 40},
				{Kind: "podman", Name: "web", ID: hex("cd"), Pod: "shop", PodID: pod, PID: 41},
			},
		},
		{
			name: "podman-pod-by-systemd",
			e: owner.Evidence{Processes: []state.Process{
				at(9, 40, "/machine.slice/machine-libpod_pod_"+pod+".slice/libpod-"+hex("ab")+".scope/container", "catatonit"),
			}},
			owner: "podman " + pod[:12] + " " + pod,
			want:  []state.Container{{Kind: "podman", Name: "abababababab", ID: hex("ab"), Pod: pod[:12], PodID: pod, PID: 40}},
		},
		{
			name:  "monitor-of-a-pod",
			e:     owner.Evidence{Processes: []state.Process{at(9, 40, "/libpod_parent/"+pod+"/conmon", "conmon")}},
			owner: "process conmon ",
		},
		{
			name:  "unit-with-groups",
			e:     owner.Evidence{Processes: []state.Process{at(9, 40, "/system.slice/systemd-nspawn@box.service/payload", "init")}},
			owner: "systemd systemd-nspawn@box.service ",
		},
		{
			name:  "sandbox-of-another-exec-root",
			hosts: []state.Process{at(1, 5, "/", "dockerd --exec-root /x")},
			e:     owner.Evidence{Paths: []string{"/x/netns/2f1e3d4c5b6a"}},
			owner: "docker  2f1e3d4c5b6a",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			hints := owner.NewHints(c.files.read)
			for _, p := range append(c.hosts, c.e.Processes...) {
				hints.Learn(p)
			}
			if got := owner.Of(c.e, hints); got.Kind+" "+got.Name+" "+got.ID != c.owner {
				t.Errorf("owner %+v, want %q", got, c.owner)
			}
			if diff := cmp.Diff(c.want, owner.Containers(c.e.Processes, hints)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNamed finds containers as people call them.
func TestNamed(t *testing.T) {
	list := []state.Container{
		{Kind: "docker", Name: "web", ID: hex("ab"), PID: 1},
		{Kind: "docker", Name: "ab", ID: hex("cd"), PID: 2},
		{Kind: "podman", Name: "web", ID: hex("ee"), PID: 3},
		{Kind: "containerd", Name: "ctr", ID: "ctr", PID: 4},
		{Kind: "kubernetes", Name: "pause", ID: hex("11"), Pod: "shop/web-0", PodID: "0b1c", PID: 5},
		{Kind: "kubernetes", Name: "nginx", ID: hex("12"), Pod: "shop/web-0", PodID: "0b1c", PID: 6},
		{Kind: "kubernetes", Name: "pause", ID: hex("13"), Pod: "test/web-0", PodID: "0b1d", PID: 7},
	}
	for what, want := range map[string][]int{
		"web": {1, 3}, "ab": {2}, "aba": {1}, hex("ab"): {1}, hex("ab")[:12]: {1}, "ctr": {4}, "ct": nil, "web-0": {5, 7}, "shop/web-0": {5},
		"nginx": {6}, "0b1c": {5}, "0b1": {5, 7}, "1": {5, 6, 7}, "": nil, "none": nil,
	} {
		var got []int
		for _, c := range owner.Named(list, what) {
			got = append(got, c.PID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", what, diff)
		}
	}
}

// TestNothingIsTooOdd: whatever processes are called and whatever files hold, there is an owner, it does not depend on the order of
// the processes, and every container has a name.
func TestNothingIsTooOdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom([]string{
			"", "docker", hex("ab"), "libpod_parent", "libpod-" + hex("cd"), "libpod-conmon-" + hex("cd"), "conmon", "kubepods",
			"pod1", "pod", "k8s.io", "web", "x.service", "user@1.service", "machine-libpod_pod_" + hex("ab") + ".slice", "lxc.payload.", "..", "a\xffb",
		})
		word := rapid.SampledFrom([]string{
			"dockerd", "conmon", "containerd-shim-runc-v2", "-id", "web", "-namespace", "k8s.io", "moby", "-c", hex("cd"), "-n", "-b", "/b",
			"--data-root", "--exec-root=/x", "", "-g",
		})
		var e owner.Evidence
		for i := range rapid.IntRange(0, 5).Draw(t, "processes") {
			e.Processes = append(e.Processes, state.Process{
				PID: i + 1, UID: uint32(rapid.IntRange(0, 1).Draw(t, "uid")), Args: rapid.SliceOfN(word, 0, 6).Draw(t, "args"),
				Cgroup: "/" + strings.Join(rapid.SliceOfN(part, 0, 5).Draw(t, "cgroup"), "/"), Started: time.Unix(int64(i), 0),
			})
		}
		e.Paths = rapid.SliceOfN(rapid.SampledFrom([]string{"/run/docker/netns/default", "/x/netns/1", "/netns/", "/run/netns/cni-x", ""}), 0, 2).Draw(t, "paths")
		text := rapid.SampledFrom([]string{"", "{", `{"Name": 5}`, `{"Name": "/n"}`, `{"hostname": "h", "annotations": {"nerdctl/name": ""}}`, `[]`, "null"}).Draw(t, "text")
		judge := func(processes []state.Process) (*state.Owner, []state.Container) {
			hints := owner.NewHints(func(string) ([]byte, error) {
				if text == "" {
					return nil, errors.New("unreadable")
				}
				return []byte(text), nil
			})
			for _, p := range e.Processes {
				hints.Learn(p)
			}
			return owner.Of(owner.Evidence{Paths: e.Paths, Processes: processes}, hints), owner.Containers(processes, hints)
		}
		o, list := judge(e.Processes)
		if o == nil || o.Kind == "" {
			t.Fatalf("no owner: %+v", o)
		}
		for _, c := range list {
			if c.Kind == "" || c.PID == 0 || c.Name == "" && c.ID != "" {
				t.Fatalf("container %+v", c)
			}
		}
		backwards := make([]state.Process, 0, len(e.Processes))
		for i := range e.Processes {
			backwards = append(backwards, e.Processes[len(e.Processes)-1-i])
		}
		o2, list2 := judge(backwards)
		if diff := cmp.Diff([]any{o, list}, []any{o2, list2}); diff != "" {
			t.Fatal(strconv.Itoa(len(list)) + diff)
		}
	})
}
