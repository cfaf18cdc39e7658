package runtimetest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"warren/internal/kerneltest"
)

// podmanConf is containers.conf(5). The limits are for a root without CAP_SYS_RESOURCE, who cannot raise any.
const podmanConf = `[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1024:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[network]
network_backend = %q
network_config_dir = %q
`

// newPodman makes namespaces for Podman, which has no daemon: a program that sleeps holds them.
func newPodman(t *testing.T, backend string) *engine {
	t.Helper()
	e := newEngine(t, "podman")
	write := func(name, text string) string {
		path := filepath.Join(e.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	conf := write("containers.conf", fmt.Sprintf(podmanConf, backend, e.dir+"/net.d"))
	bin := filepath.Join(e.dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	write("bin/podman", fmt.Sprintf("#!/bin/sh\nexec /usr/bin/podman --root %[1]s/store --runroot %[1]s/rr --tmpdir %[1]s/tmp --storage-driver vfs \"$@\"\n", e.dir))
	e.env = []string{"CONTAINERS_CONF=" + conf, "PATH=" + bin + ":" + os.Getenv("PATH")}
	e.start("", "sleep", "1000")
	e.ready("podman", "import", "-q", rootfsFile(t, filepath.Join(e.dir, "rootfs.tar")), image)
	return e
}

func testPodman(t *testing.T, prefix, backend, bridges string) {
	kerneltest.Need(t, "exec:/usr/bin/podman", "exec:runc", "exec:busybox", "exec:ip", "exec:nsenter", "exec:curl", "exec:/usr/lib/cni/bridge",
		"exec:/usr/lib/podman/netavark", "exec:/usr/lib/podman/aardvark-dns", "veth", "bridge", "nftables", "root")
	e := newPodman(t, backend)
	name := func(s string) string { return prefix + "-" + s }

	web := e.container(name("web"), "-p 8080:80", server("80")...)
	web.bridge = bridges + "0"
	near := e.container(name("near"), "")
	near.bridge = web.bridge
	e.run("podman", "network", "create", "back")
	far := e.container(name("far"), "--network back", server("80")...)
	far.bridge = bridges + "1"
	none := e.container(name("none"), "--network none")
	guest := e.container(name("guest"), "--network container:"+web.name)
	hosted := e.container(name("hosted"), "--network host")
	web.containers = []string{web.name, guest.name}
	guest.who, guest.containers, guest.bridge, guest.addr = web.name, web.containers, web.bridge, web.addr
	hosted.owner, hosted.who, hosted.addr = "process", "sleep", ""

	// A pod: its namespace belongs to the pod, whose first container only holds it.
	pod := e.run("podman", "pod", "create", "--name", name("pod"), "--infra-image", image, "--infra-command", "/bin/sleep 1000", "-p", "8081:81")
	first := e.container(name("first"), "--pod "+name("pod"), server("81")...)
	second := e.container(name("second"), "--pod "+name("pod"))
	infra := e.inspect(pod[:12] + "-infra")
	for _, b := range []*box{&infra, &first, &second} {
		b.who, b.containers = name("pod"), []string{infra.name, first.name, second.name}
		b.bridge, b.addr = web.bridge, infra.addr
	}
	checkBoxes(t, e, &web, &near, &far, &none, &guest, &hosted, &infra, &first, &second)
	checkPod(t, name("pod"), pod, infra)

	serves(t, web, "127.0.0.1:80")
	serves(t, far, "127.0.0.1:80")
	serves(t, first, "127.0.0.1:81")
	checkPorts(t, e, web, "80", "")
	checkPorts(t, e, first, "81", "")
	outside := e.outside()
	for _, c := range []whyCase{
		{from: near, to: web.addr + ":80", want: "yes"},
		{from: near, to: infra.addr + ":81", want: "yes"},
		{from: near, to: far.addr + ":80", want: "yes"}, // nothing keeps networks apart here
		{from: outside, to: "192.0.2.1:8080", want: "yes"},
		{from: outside, to: "192.0.2.1:8081", want: "yes"},
		{from: far, to: "192.0.2.1:8080", want: "yes"},
	} {
		checkWhy(t, e, c)
	}

	e.run("podman", "pod", "rm", "-f", "-t", "0", name("pod"))
	gone(t, first.name)
	gone(t, name("pod"))
}

// checkPod finds a pod by its name and id.
func checkPod(t *testing.T, name, id string, infra box) {
	t.Helper()
	key := infra.key(t)
	for _, what := range []string{name, id, id[:12]} {
		found := find(t, what)
		for _, m := range found {
			if m.NS != key || m.Kind != "container" {
				t.Errorf("find %s: %+v, want only what is in %s", what, m, key)
			}
		}
		if len(found) != 3 {
			t.Errorf("find %s: %+v, want its three containers", what, found)
		}
		want := "net:[" + strconv.FormatUint(inode(t, infra.pid), 10) + "]"
		if got := run(t, "enter", "container:"+what, "--", "readlink", "/proc/self/ns/net"); got != want {
			t.Errorf("enter container:%s is in %s, want %s", what, got, want)
		}
	}
	if o := show(t, "container:"+name).Owner; o.Name != name || o.ID != id || !strings.HasPrefix(o.Evidence, "cgroup ") {
		t.Errorf("owner of the pod's namespace: %+v, want %s %s", o, name, id)
	}
}
