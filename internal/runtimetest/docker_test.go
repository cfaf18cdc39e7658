package runtimetest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"warren/internal/kerneltest"
)

// newDocker starts a dockerd. Iptables is the program that it is to call.
func newDocker(t *testing.T, iptables string) *engine {
	t.Helper()
	e := newEngine(t, "docker")
	for _, name := range []string{"iptables", "ip6tables"} {
		if err := os.Symlink(iptables, filepath.Join(e.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	e.env = []string{"DOCKER_HOST=unix://" + e.dir + "/docker.sock", "PATH=" + e.dir + ":" + os.Getenv("PATH")}
	// Where its data is it is told by its configuration, which only its own mount namespace has.
	config := filepath.Join(e.dir, "daemon.json")
	if err := os.WriteFile(config, fmt.Appendf(nil, `{"data-root": %q, "storage-driver": "vfs"}`, e.dir+"/data"), 0o600); err != nil {
		t.Fatal(err)
	}
	e.start("mount -n -t tmpfs tmpfs /etc/docker; cp "+config+" /etc/docker/daemon.json",
		"dockerd", "--exec-root", e.dir+"/x", "-H", "unix://"+e.dir+"/docker.sock", "--pidfile", e.dir+"/pid")
	e.ready("docker", "info")
	e.run("docker", "import", rootfsFile(t, filepath.Join(e.dir, "rootfs.tar")), image)
	return e
}

// inspect asks Docker or Podman for a container, which both tell in the same words.
func (e *engine) inspect(name string) box {
	e.t.Helper()
	var list []struct {
		ID    string `json:"Id"`
		State struct{ Pid int }
		Net   struct {
			Networks map[string]struct{ IPAddress string }
		} `json:"NetworkSettings"`
	}
	out := e.run(e.kind, "inspect", "--type", "container", name)
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 1 {
		e.t.Fatalf("inspect %s: %v\n%s", name, err, out)
	}
	b := box{owner: e.kind, who: name, name: name, id: list[0].ID, pid: list[0].State.Pid, containers: []string{name}}
	for _, n := range list[0].Net.Networks {
		b.addr = n.IPAddress
	}
	return b
}

// container starts one, and returns what its engine tells of it.
func (e *engine) container(name, options string, argv ...string) box {
	e.t.Helper()
	if argv == nil {
		argv = []string{"/bin/sleep", "1000"}
	}
	e.run(append(append(append([]string{e.kind}, words("run -d --name %s %s", name, options)...), image), argv...)...)
	return e.inspect(name)
}

// server is the command of a container that serves the page.
func server(port string) []string { return []string{"/bin/httpd", "-f", "-p", port, "-h", "/www"} }

// serves waits until the page is there.
func serves(t testing.TB, b box, addr string) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error { return fetch(b.pid, addr) })
}

func testDocker(t *testing.T, prefix, iptables, drops string) {
	kerneltest.Need(t, "exec:dockerd", "exec:docker", "exec:containerd", "exec:runc", "exec:busybox", "exec:ip", "exec:nsenter", "exec:curl", "exec:"+iptables,
		"veth", "bridge", "bridge-nf", "root")
	e := newDocker(t, iptables)
	name := func(s string) string { return prefix + "-" + s }

	web := e.container(name("web"), "-p 8080:80", server("80")...)
	web.bridge = "docker0"
	near := e.container(name("near"), "")
	near.bridge = "docker0"
	e.run("docker", "network", "create", "--opt", "com.docker.network.bridge.name=br-back", "back")
	far := e.container(name("far"), "--network back", server("80")...)
	far.bridge = "br-back"
	none := e.container(name("none"), "--network none")
	guest := e.container(name("guest"), "--network container:"+web.name)
	hosted := e.container(name("hosted"), "--network host")

	// Two containers in one namespace are its owner's.
	web.containers = []string{web.name, guest.name}
	guest.who, guest.containers, guest.bridge, guest.addr = web.name, web.containers, web.bridge, web.addr
	// A container on the network of its engine does not own what others have made.
	hosted.owner, hosted.who, hosted.addr = "process", "dockerd", ""
	checkBoxes(t, e, &web, &near, &far, &none, &guest, &hosted)

	serves(t, web, "127.0.0.1:80")
	serves(t, far, "127.0.0.1:80")
	checkPorts(t, e, web, "80", "8080")
	outside := e.outside()
	checkWhy(t, e, whyCase{from: near, to: web.addr + ":80", want: "yes"})
	checkWhy(t, e, whyCase{from: near, to: far.addr + ":80", want: "no", rule: "DOCKER-ISOLATION-STAGE-2", at: e, object: drops})
	checkWhy(t, e, whyCase{from: far, to: web.addr + ":80", want: "no", rule: "DOCKER-ISOLATION-STAGE-2", at: e, object: drops})
	checkWhy(t, e, whyCase{from: outside, to: "192.0.2.1:8080", want: "yes"})
	checkWhy(t, e, whyCase{from: near, to: "172.17.0.1:8080", want: "yes"})

	// A published port of another network, from a container: whatever happens, happens.
	checkWhy(t, e, whyCase{from: far, to: "192.0.2.1:8080", rule: "DOCKER-ISOLATION-STAGE-2", at: e, object: drops})
	mend(t, near, far.addr+":80")

	e.run("docker", "rm", "-f", guest.name, web.name)
	gone(t, web.name)
	gone(t, guest.name)
}
