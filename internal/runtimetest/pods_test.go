package runtimetest_test

import (
	"slices"
	"strings"
	"testing"

	"warren"
)

// testPods runs pods by CRI, as a kubelet does: one in the kubelet's control groups and one without any.
func testPods(t *testing.T, e *engine, outside box) {
	t.Helper()
	c := newCRI(t, e.dir+"/sock")
	const uid = "0b1c2d3e-1111-2222-3333-444455556666"
	pod := c.runPod(podConfig{name: "front-0", uid: uid, namespace: "shop", parent: "/kubepods/besteffort/pod" + uid, hostPort: 8080, port: 80})
	main := c.start(pod, "web", server("80")...)
	side := c.start(pod, "side", "/bin/sleep", "1000")
	bare := c.runPod(podConfig{name: "bare", uid: "1-2-3", namespace: "default"})

	// What CRI calls its containers, the namespace's first is the one that holds it.
	kubernetes := *e
	kubernetes.kind = "kubernetes"
	boxes := []*box{c.sandbox(e, pod, "shop/front-0"), c.container(e, pod, main, "web"), c.container(e, pod, side, "side"), c.sandbox(e, bare, "default/bare")}
	for _, b := range boxes {
		b.bridge = "cni0"
		if b != boxes[3] {
			b.who, b.addr = "shop/front-0", boxes[0].addr
			b.containers = []string{boxes[0].name, "web", "side"}
		}
	}
	checkBoxes(t, &kubernetes, boxes...)
	if o := show(t, "container:front-0").Owner; o.ID != uid {
		t.Errorf("owner of the pod: %+v, want id %s", o, uid)
	}
	for _, what := range []string{"front-0", "shop/front-0", uid} {
		if found := find(t, what); len(found) != 3 || slices.ContainsFunc(found, func(m warren.Match) bool { return !strings.HasSuffix(m.Text, "of pod shop/front-0") }) {
			t.Errorf("find %s: %+v, want the pod's three containers", what, found)
		}
	}
	serves(t, *boxes[1], "127.0.0.1:80")
	checkPorts(t, e, *boxes[1], "80", "")
	checkWhy(t, e, whyCase{from: outside, to: boxes[0].addr + ":80", want: "yes"})
	checkWhy(t, e, whyCase{from: *boxes[3], to: boxes[0].addr + ":80", want: "yes"})
	checkWhy(t, e, whyCase{from: e.outside(), to: "192.0.2.1:8080", want: "yes"})

	c.removePod(pod)
	gone(t, "front-0")
}
