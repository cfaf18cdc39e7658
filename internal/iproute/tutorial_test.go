package iproute_test

import (
	"strings"
	"testing"
)

// TestTutorial runs what texts about network namespaces tell people to type, with this program as ip.
func TestTutorial(t *testing.T) {
	dir := self(t)
	for _, step := range []struct{ line, want string }{
		{"ip netns add red", ""},
		{"ip netns add blue", ""},
		{"ip link add veth-red type veth peer name veth-blue", ""},
		{"ip link set veth-red netns red", ""},
		{"ip link set veth-blue netns blue", ""},
		{"ip -n red addr add 192.168.15.1/24 dev veth-red", ""},
		{"ip -n blue addr add 192.168.15.2/24 dev veth-blue", ""},
		{"ip -n red link set veth-red up", ""},
		{"ip -n blue link set veth-blue up", ""},
		{"ip netns exec red ip link set lo up", ""},
		{"ip netns exec red ping -c 1 -W 5 192.168.15.2", "1 received"},
		{"ip -n red neigh", "192.168.15.2 dev veth-red lladdr"},
		{"ip -n red route", "192.168.15.0/24 dev veth-red proto kernel scope link src 192.168.15.1"},
		{"ip netns list-id", "iproute2 netns name: red"},
		{"ip -n red link", "veth-red@if"},
		{"ip -n red link del veth-red", ""},
		{"ip link add v-net-0 type bridge", ""},
		{"ip link set dev v-net-0 up", ""},
		{"ip link add veth-red type veth peer name veth-red-br", ""},
		{"ip link set veth-red netns red", ""},
		{"ip link set veth-red-br master v-net-0", ""},
		{"ip addr add 192.168.15.5/24 dev v-net-0", ""},
		{"ip -n red addr add 192.168.15.1/24 dev veth-red", ""},
		{"ip -n red link set veth-red up", ""},
		{"ip link set veth-red-br up", ""},
		{"ip netns exec red ip route add default via 192.168.15.5", ""},
		{"ip netns exec red ip route show", "default via 192.168.15.5 dev veth-red"},
		{"bridge link", "veth-red-br"},
		{"ip netns exec red ip addr add 127.0.0.2/8 dev lo", ""},
		{"ip netns exec red ip addr", "inet 127.0.0.2/8 scope host"},
		{"ip netns exec red cat /proc/net/dev", "veth-red:"},
		{"ip netns exec red readlink /proc/self/ns/net", "net:["},
		{"ip netns exec red " + dir + "/ip netns identify", "red"},
		{"ip netns exec red ss -tulnp", "Local Address:Port"},
		{"ip netns pids red", ""},
		// A name by hand, for a namespace that has none.
		{"ln -s /proc/1/ns/net /run/netns/mycontainer", ""},
		{"ip netns exec mycontainer ip link show v-net-0", "v-net-0"},
		{"ip -n mycontainer route", "192.168.15.0/24 dev v-net-0"},
		{"ip netns del mycontainer", ""},
		{"touch /run/netns/myns", ""},
		{"mount --bind /proc/self/ns/net /run/netns/myns", ""},
		{"ip -n myns -br link show v-net-0", "UP"},
		{"ip netns del myns", ""},
		{"ip netns exec red ip link set veth-red netns 1", ""},
		{"ip link show veth-red", "veth-red@veth-red-br"},
		{"ip link del v-net-0", ""},
		{"ip link del veth-red", ""},
		{"ip netns del red", ""},
		{"ip netns del blue", ""},
	} {
		argv := strings.Fields(step.line)
		if argv[0] == "ip" || argv[0] == "bridge" {
			argv[0] = dir + "/" + argv[0]
		}
		r := theirs(t, "", argv...)
		if r.Code != 0 || !strings.Contains(r.Out, step.want) {
			t.Fatalf("%s: got %+v, want %q", step.line, r, step.want)
		}
	}
	if r := run(t, dir, "ip", "-n", "red", "ping"); r.Code != 255 {
		t.Errorf("a command behind -n: got %+v", r)
	}
}

// TestBatch: a batch stops at the first error and says where; with -force it goes on; under our own name a line may be about
// another namespace.
func TestBatch(t *testing.T) {
	for _, name := range []string{"one", "two"} {
		twin(t, name)
	}
	script := "# a comment\nlink add v0 type \\\n veth peer name v1\nlink set nobody up\nlink set v0 up\n"
	for _, argv := range [][]string{{"ip", "-n", "one", "-batch", "-"}, {"ip", "-n", "two", "-force", "-batch", "-"}} {
		want := theirs(t, script, argv...)
		theirs(t, "", "ip", "-n", argv[2], "link", "del", "v0")
		got := ours(t, script, argv...)
		if got != want {
			t.Errorf("%v: got %+v, want %+v", argv, got, want)
		}
	}
	r := ours(t, "-n one link set v1 up\n-n two link set lo up\n-n nobody link\n", "warren", "-batch", "-")
	if r.Code == 0 || !strings.Contains(r.Err, "-:3") || !strings.Contains(r.Err, "-n nobody link") {
		t.Errorf("across namespaces: got %+v", r)
	}
	for _, name := range []string{"one", "two"} {
		ours(t, "", "ip", "netns", "delete", name)
	}
}
