package topo_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/topo"
)

func pub(t *testing.T, s string) topo.Publish {
	t.Helper()
	p, err := topo.ParsePublish(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEditKeepsTheFile: an edit changes what it has to and nothing else.
func TestEditKeepsTheFile(t *testing.T) {
	for _, c := range []struct {
		name, in, out string
		edit          func(*testing.T, *topo.Editor) error
	}{
		{
			"flow-list", "name: x # the name\nnets:\n  lan: [a, b] # both\n", "name: x # the name\nnets:\n  lan: [a, b, c] # both\n",
			func(_ *testing.T, e *topo.Editor) error { return add(e, "c", "lan") },
		},
		{
			"block-list", "name: x\nnets:\n  lan:\n    # who is there\n    - a\n    - b # second\n  # the other\n  wan: [a]\n",
			"name: x\nnets:\n  lan:\n    # who is there\n    - a\n    - b # second\n    - c: 10.0.0.3/24\n  # the other\n  wan: [a]\n",
			func(_ *testing.T, e *topo.Editor) error { return add(e, "c", "lan", "10.0.0.3/24") },
		},
		{
			"flow-map", "name: x\nnets:\n  lan: {nodes: [a, b], cidr: 10.0.0.0/24, uplink: true}\nnodes:\n  a: {publish: [8080:80]} # web\n",
			"name: x\nnets:\n  lan: {nodes: [a, b, c], cidr: 10.0.0.0/24, uplink: true}\nnodes:\n  a: {publish: [8080:80, 8443:443/tcp]} # web\n",
			func(t *testing.T, e *topo.Editor) error {
				return errors.Join(add(e, "c", "lan"), e.Publish("a", pub(t, "8443:443")))
			},
		},
		{
			"no-list-yet", "name: x\nnets:\n  lan:\n    uplink: true\n  wan:\n", "name: x\nnets:\n  lan:\n    uplink: true\n    nodes: [a]\n  wan: [a]\n",
			func(_ *testing.T, e *topo.Editor) error {
				return errors.Join(add(e, "a", "lan"), e.Join("wan", topo.Member{Node: "a"}))
			},
		},
		{
			"publish-of-a-bare-node", "name: x\nnets:\n  up: {uplink: true, nodes: [a]}\nnodes:\n  a:\n    run: sleep 1 # long\n",
			"name: x\nnets:\n  up: {uplink: true, nodes: [a]}\nnodes:\n  a:\n    run: sleep 1 # long\n    publish: [8080:80/tcp]\n",
			func(t *testing.T, e *topo.Editor) error { return e.Publish("a", pub(t, "8080:80")) },
		},
		{
			"new-node", "name: x # keep\nnets:\n  lan: [a]\n", "name: x # keep\nnets:\n  lan: [a, b]\nnodes:\n  b:\n    dns:\n      - 9.9.9.9\n",
			func(_ *testing.T, e *topo.Editor) error {
				err := e.AddNode(topo.Node{Name: "b", DNS: []netip.Addr{netip.MustParseAddr("9.9.9.9")}})
				return errors.Join(err, e.Join("lan", topo.Member{Node: "b"}))
			},
		},
		{
			"remove", "name: x\nnets:\n  lan: [a, b, c] # all\n  wan:\n    # one\n    - b\n    - c\nlinks:\n  - a -- b # cable\n  - a -- c\nnodes:\n  b: {run: sleep 1} # gone\n  c: {run: sleep 2} # stays\nchecks:\n  - a can ping c on lan\n  - a can ping b # no more\n",
			"name: x\nnets:\n  lan: [a, c] # all\n  wan:\n    # one\n    - c\nlinks:\n  - a -- c\nnodes:\n  c: {run: sleep 2} # stays\nchecks:\n  - a can ping c on lan\n",
			func(_ *testing.T, e *topo.Editor) error { return e.RemoveNode("b") },
		},
		{
			"remove-last-of-everything", "name: x\nnets:\n  lan: [a, b]\nnodes:\n  b:\n    run: sleep 1\n", "name: x\nnets:\n  lan: []\nnodes:\n",
			func(_ *testing.T, e *topo.Editor) error {
				return errors.Join(e.RemoveNode("b"), e.RemoveNode("a"))
			},
		},
		{
			"unpublish", "name: x\nnets:\n  up: {uplink: true, nodes: [a]}\nnodes:\n  a:\n    publish:\n      - 80:80 # web\n      - 53:53/udp # names\n",
			"name: x\nnets:\n  up: {uplink: true, nodes: [a]}\nnodes:\n  a:\n    publish:\n      - 53:53/udp # names\n",
			func(_ *testing.T, e *topo.Editor) error {
				_, err := e.Unpublish("a", func(p topo.Publish) bool { return p.Host.First == 80 })
				return err
			},
		},
		{
			"third-on-a-link", "name: x\nnets:\n  lan: [a] # one\nlinks:\n  - a -- b # cable\n  - a -- c # other\n",
			"name: x\nnets:\n  lan: [a] # one\n  a-b:\n    nodes:\n      - a\n      - b\n      - d\nlinks:\n  - a -- c # other\n",
			func(_ *testing.T, e *topo.Editor) error { return add(e, "d", "a-b") },
		},
		{
			"cable", "name: x # c\nnets:\n  lan: [a, b]\n", "name: x # c\nnets:\n  lan: [a, b]\n  a-b:\n    nodes:\n      - a\n      - b\n",
			func(_ *testing.T, e *topo.Editor) error {
				_, err := e.Link(topo.Net{}, topo.Member{Node: "a"}, topo.Member{Node: "b"})
				return err
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := topo.Parse("dir/x.yaml", []byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			e, err := topo.Edit(l)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.edit(t, e); err != nil {
				t.Fatal(err)
			}
			got, err := e.Lab()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.out, string(got.Text())); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if string(l.Text()) != c.in {
				t.Error("the lab that was edited has changed")
			}
		})
	}
}

func add(e *topo.Editor, node, net string, ip ...string) error {
	m := topo.Member{Node: node}
	for _, s := range ip {
		p, err := topo.ParseAddress(s)
		if err != nil {
			return err
		}
		m.IP = append(m.IP, p)
	}
	if err := e.AddNode(topo.Node{Name: node}); err != nil {
		return err
	}
	return e.Join(net, m)
}

// TestEditDefault: the lab of the one-liners, from nothing.
func TestEditDefault(t *testing.T) {
	e, err := topo.Edit(topo.NewDefault(netip.MustParsePrefix("10.192.0.0/16")))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"a", "b", "c"} {
		if err := add(e, n, topo.DefaultNet); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Publish("a", pub(t, "8080:80")); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Link(topo.Net{}, topo.Member{Node: "a"}, topo.Member{Node: "b"}); err != nil {
		t.Fatal(err)
	}
	l, err := e.Lab()
	if err != nil {
		t.Fatal(err)
	}
	want := `# The lab that warren add, run, connect and publish change. A copy of this file is a lab file as any other.
name: default
nets:
  default:
    cidr: 10.192.0.0/16
    uplink: true
    nodes:
      - a
      - b
      - c
  a-b:
    nodes:
      - a
      - b
nodes:
  a:
    publish:
      - 8080:80/tcp
`
	if diff := cmp.Diff(want, string(l.Text())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	x, err := topo.Expand(l, topo.Inputs{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range x.Nets {
		if n.Kind != topo.KindBridge {
			t.Errorf("net %s is a %s", n.Name, n.Kind)
		}
	}
	if got := x.Node("a").Addrs[0]; got.Link != "eth0" || got.Prefix.String() != "10.192.0.2/16" {
		t.Errorf("a has %+v", got)
	}
	if e, err = topo.Edit(l); err != nil {
		t.Fatal(err)
	}
	if err := e.RemoveNode("b"); err != nil {
		t.Fatal(err)
	}
	if l, err = e.Lab(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(l.Text()), "a-b") || l.Edited {
		t.Errorf("a cable without an end stays, or a lab without a file differs from it:\n%s", l.Text())
	}
}

// TestEditWithoutText: a lab built in Go, or kept as data, is edited as well; defaults that were filled in do not stay.
func TestEditWithoutText(t *testing.T) {
	l := &topo.Lab{Name: "go", Nets: []topo.Net{{Name: "lan", Members: []topo.Member{{Node: "a"}, {Node: "b"}}}, {Name: "wan", Members: []topo.Member{{Node: "b"}}}}}
	l.Complete()
	e, err := topo.Edit(l)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(add(e, "c", "lan"), e.Join("wan", topo.Member{Node: "a"})); err != nil {
		t.Fatal(err)
	}
	got, err := e.Lab()
	if err != nil {
		t.Fatal(err)
	}
	if got.Nets[0].Kind != topo.KindBridge || !*got.Nodes[0].Forward {
		t.Errorf("kind %s, forward %t", got.Nets[0].Kind, *got.Nodes[0].Forward)
	}
	want := "name: go\nnets:\n  lan:\n    nodes:\n      - a\n      - b\n      - c\n  wan:\n    nodes:\n      - b\n      - a\n"
	if diff := cmp.Diff(want, string(got.Text())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestEditRefuses says what is wrong, and which name may have been meant.
func TestEditRefuses(t *testing.T) {
	l, err := topo.Parse("", []byte("name: x\nnets:\n  up: {uplink: true, nodes: [web, db]}\nnodes:\n  web: {publish: [8080:80]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		edit func(*topo.Editor) error
		is   error
		want string
	}{
		{"twice", func(e *topo.Editor) error { return e.AddNode(topo.Node{Name: "web"}) }, topo.ErrExist, `lab "x" has a node "web" already`},
		{"gone", func(e *topo.Editor) error { return e.RemoveNode("wbe") }, topo.ErrNotExist, `lab "x" has no node "wbe" (hint: did you mean web?)`},
		{"member-twice", func(e *topo.Editor) error { return e.Join("up", topo.Member{Node: "web"}) }, topo.ErrExist, `node "web" of lab "x" is on net "up" already`},
		{"no-net", func(e *topo.Editor) error { return e.Join("upp", topo.Member{Node: "web"}) }, topo.ErrNotExist, `lab "x" has no net "upp" (hint: did you mean up?)`},
		{"itself", func(e *topo.Editor) error {
			_, err := e.Link(topo.Net{}, topo.Member{Node: "web"}, topo.Member{Node: "web"})
			return err
		}, nil, `node "web" cannot be connected to itself`},
		{"port", func(e *topo.Editor) error { return e.Publish("db", pub(t, "8000-8100:80-180")) }, topo.ErrExist, `publish 8000-8100:80-180/tcp of node "db": the port is taken: node "web" of lab "x" has published 8080:80/tcp`},
		{"name", func(e *topo.Editor) error { return e.AddNode(topo.Node{Name: "host"}) }, nil, `name of node: "host" is reserved`},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := topo.Edit(l)
			if err != nil {
				t.Fatal(err)
			}
			err = c.edit(e)
			if err == nil || err.Error() != c.want || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
