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

// containerdConf is containerd-config.toml(5). The score is for a root without CAP_SYS_RESOURCE.
const containerdConf = `version = 2
root = "%[1]s/root"
state = "%[1]s/state"
[grpc]
  address = "%[1]s/sock"
[ttrpc]
  address = "%[1]s/sock.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "%[1]s/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + image + `"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
`

const cniConf = `{"cniVersion": "0.4.0", "name": "bridged", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
   "ipam": {"type": "host-local", "dataDir": %q, "ranges": [[{"subnet": "10.77.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
`

// newContainerd starts a containerd, with the reference plugins where ctr and CRI look for them.
func newContainerd(t *testing.T) *engine {
	t.Helper()
	e := newEngine(t, "containerd")
	if err := os.Mkdir(e.dir+"/cni", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"config.toml": fmt.Sprintf(containerdConf, e.dir), "cni/10-bridged.conflist": fmt.Sprintf(cniConf, e.dir+"/leases"),
	} {
		if err := os.WriteFile(filepath.Join(e.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e.env = []string{"CONTAINERD_ADDRESS=" + e.dir + "/sock"}
	e.start(`
mount -n -t tmpfs tmpfs /opt; mkdir -p /opt/cni; ln -s /usr/lib/cni /opt/cni/bin
mount -n -t tmpfs tmpfs /etc/cni; mkdir -p /etc/cni/net.d; cp `+e.dir+`/cni/* /etc/cni/net.d`,
		"containerd", "-c", e.dir+"/config.toml")
	e.ready("ctr", "version")
	file := imageFile(t, e.dir+"/image.tar")
	for _, namespace := range []string{"default", "other", "k8s.io"} {
		e.run("ctr", "-n", namespace, "images", "import", "--snapshotter", "native", file)
	}
	return e
}

// ctr starts a container, whose id is what somebody wants it to be.
func (e *engine) ctr(namespace, id, options string, argv ...string) box {
	e.t.Helper()
	if argv == nil {
		argv = []string{"/bin/sleep", "1000"}
	}
	e.run(append(append(words("ctr -n %s run -d --snapshotter native %s", namespace, options), image, id), argv...)...)
	b := box{owner: e.kind, who: id, name: id, id: id, containers: []string{id}}
	for line := range strings.Lines(e.run("ctr", "-n", namespace, "tasks", "ls")) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == id {
			b.pid, _ = strconv.Atoi(f[1])
		}
	}
	if b.pid == 0 {
		e.t.Fatalf("ctr tasks ls does not have %s", id)
	}
	for _, d := range devices(e.t, b.pid) {
		if d.Name == "eth0" && len(d.Addrs) > 0 && strings.Contains(options, "--cni") {
			b.addr, b.bridge = d.Addrs[0].Local, "cni0"
		}
	}
	return b
}

func testContainerd(t *testing.T) {
	kerneltest.Need(t, "exec:containerd", "exec:ctr", "exec:runc", "exec:busybox", "exec:ip", "exec:nsenter", "exec:curl", "exec:/usr/lib/cni/bridge",
		"veth", "bridge", "root")
	e := newContainerd(t)
	web := e.ctr("default", "ctr-web", "--cni", server("80")...)
	alone := e.ctr("default", "ctr-alone", "")
	long := e.ctr("other", strings.Repeat("c0ffee", 10)+"0123", "--cni")
	long.who, long.name = long.id[:12], long.id[:12]
	long.containers = []string{long.name}
	hosted := e.ctr("default", "ctr-hosted", "--net-host")
	hosted.owner, hosted.who = "process", "containerd"
	guest := e.ctr("other", "ctr-guest", "--with-ns network:/proc/"+strconv.Itoa(web.pid)+"/ns/net")
	web.containers = []string{web.id, guest.id}
	guest.who, guest.containers, guest.addr, guest.bridge = web.who, web.containers, web.addr, web.bridge
	checkBoxes(t, e, &web, &alone, &long, &hosted, &guest)
	serves(t, web, "127.0.0.1:80")
	checkPorts(t, e, web, "80", "")
	checkWhy(t, e, whyCase{from: long, to: web.addr + ":80", want: "yes"})

	testPods(t, e, web)

	e.run("ctr", "tasks", "rm", "-f", "ctr-alone")
	gone(t, "ctr-alone")
}
