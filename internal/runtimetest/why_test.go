package runtimetest_test

import (
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"warren"
)

// A whyCase is a question to warren and to the kernel.
type whyCase struct {
	from box
	to   string // ADDRESS:PORT
	want string // "yes", "no"; "" = what really happens
	// Of a packet that dies: a word of the rule, and where that is.
	rule, object string
	at           *engine
}

// checkWhy asks warren, then sends real packets, and compares.
func checkWhy(t *testing.T, e *engine, c whyCase) {
	t.Helper()
	ref := "container:" + c.from.name
	if c.from.id == "" {
		ref = "pid:" + strconv.Itoa(c.from.pid)
	}
	v := why(t, ref, c.to+"/tcp")
	if err := fetch(c.from.pid, c.to); (err == nil) != (v.Reachable == "yes") || v.Reachable == "unknown" || c.want != "" && v.Reachable != c.want {
		t.Errorf("%s: why %s %s says %s, want %s; really: %v\n%+v\n%s", e.kind, ref, c.to, v.Reachable, c.want, err, v.Reason, said(t, "why", ref, c.to+"/tcp"))
		return
	}
	if v.Reachable != "no" {
		return
	}
	host := show(t, "pid:"+strconv.Itoa(c.at.pid)).Name
	r := v.Reason
	if r == nil || r.Code != "filter-drop" || r.Namespace != host || !strings.Contains(r.Object, c.rule) || !strings.HasPrefix(r.Object, c.object) {
		t.Errorf("%s: why %s %s: %+v, want the rule %s %s in %s", e.kind, ref, c.to, r, c.object, c.rule, host)
	}
}

// mend does what warren says would help, until a packet that died gets there and its answer comes back, by warren's word and in
// reality.
func mend(t *testing.T, from box, to string) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	var tried []string
	for range 3 { // the way there, the way back, and one more
		v := why(t, "container:"+from.name, to+"/tcp")
		if v.Reachable == "yes" {
			break
		}
		if v.Reason == nil || len(v.Reason.Fix) == 0 {
			t.Fatalf("why %s %s: %+v names nothing that helps, after %q", from.name, to, v.Reason, tried)
		}
		fix := v.Reason.Fix[0]
		tried = append(tried, fix)
		rest, ours := strings.CutPrefix(fix, "warren ")
		if !ours {
			t.Fatalf("why %s %s: %q cannot find a namespace without a name", from.name, to, fix)
		}
		if out, err := exec.CommandContext(t.Context(), "sh", "-euc", path+" "+rest).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", fix, err, out)
		}
	}
	if v := why(t, "container:"+from.name, to+"/tcp"); v.Reachable != "yes" {
		t.Errorf("why %s %s still says %s, after %q: %+v", from.name, to, v.Reachable, tried, v.Reason)
	}
	if err := fetch(from.pid, to); err != nil {
		t.Errorf("%v, after %q", err, tried)
	}
}

// said is what warren writes, whatever its exit status.
func said(t testing.TB, args ...string) string {
	t.Helper()
	out, errOut, _ := try(t, args...)
	return out + errOut
}

// outside makes a namespace with a cable to the engine's: the network that its machine would be on.
func (e *engine) outside() box {
	e.t.Helper()
	e.run("sh", "-euc", `
unshare -n sh -c 'echo $$ >`+e.dir+`/outside; exec sleep 1000' >/dev/null 2>&1 &
until [ -s `+e.dir+`/outside ]; do :; done
read pid <`+e.dir+`/outside
ip link add lan type veth peer name lan netns $pid
ip addr add 192.0.2.1/24 dev lan
ip link set lan up
nsenter -t $pid -n ip addr add 192.0.2.2/24 dev lan
nsenter -t $pid -n ip link set lan up
echo $pid >`+e.dir+`/made
`)
	pid, err := strconv.Atoi(e.run("cat", e.dir+"/made"))
	if err != nil {
		e.t.Fatal(err)
	}
	return box{name: "outside", pid: pid}
}

// checkPorts looks for a container's port, and for the one that it is published as.
func checkPorts(t *testing.T, e *engine, b box, inner, published string) {
	t.Helper()
	key, host := b.key(t), show(t, "pid:"+strconv.Itoa(e.pid)).Name
	if found := find(t, "port:"+inner); !slices.ContainsFunc(found, func(m warren.Match) bool {
		return m.NS == key && m.Kind == "port" && m.PID == b.pid && strings.Contains(m.Text, "httpd")
	}) {
		t.Errorf("find port:%s: %+v, want process %d in %s", inner, found, b.pid, key)
	}
	if published != "" {
		if found := find(t, published+"/tcp"); !slices.ContainsFunc(found, func(m warren.Match) bool { return m.NS == host && m.Kind == "port" }) {
			t.Errorf("find %s/tcp: %+v, want one in %s", published, found, host)
		}
	}
	type socket struct {
		NetNS string `json:"netns"`
		Local string `json:"local"`
	}
	sockets := decode[[]socket](t, "ss", "--all-netns", "-tln", "--json")
	pids := processes(t, b.pid)
	if !slices.ContainsFunc(sockets, func(s socket) bool {
		pid, err := strconv.Atoi(strings.TrimPrefix(s.NetNS, "pid:"))
		return err == nil && slices.Contains(pids, pid) && strings.HasSuffix(s.Local, ":"+inner)
	}) {
		t.Errorf("ss --all-netns has no listener on port %s of process %d: %+v", inner, b.pid, sockets)
	}
}
