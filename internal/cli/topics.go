package cli

import "github.com/spf13/cobra"

// topics are help texts that are no commands: "warren help labfile". They become manual pages too.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{
			Use:   "labfile",
			Short: "The lab file: nets, nodes, services, checks",
			Long: `A lab file is YAML 1.2, by default ./warren.yaml. It is strict: an unknown key is an error with file, line and column.
"warren fmt --expand" prints it with every shorthand written out, "warren fmt --schema" its JSON schema.

The smallest one: two hosts, a router between them, masquerade towards wan.

  nets:
    lan: [h1, r]
    wan: [r, h2]
  nodes:
    r: {nat: wan}

Top level
  name      the lab's name (default: the folder's)
  nets      name -> list of nodes, or map: nodes, cidr, uplink, isolated, internal, mtu, stp, gateway, dns
  links     "a -- b" or "a -- b: {...}": a net of two
  nodes     name -> map; a node that a net mentions exists without being listed; h[1-50] expands anywhere
  checks    assertions, run by "warren check" and after "warren up"
  defaults  mtu, ipv6, pool4, pool6

Net
  nodes     members: NODE, "NODE: ADDRESS/LEN", or "NODE: {ip, mac, if, mtu}"
  cidr      one or two prefixes; default: the next free /24 of the pool, and a /64 with ipv6: true
  uplink    true: the host is the gateway, forwards and masquerades; {nat: false}: it routes only
  isolated  members reach the gateway, not each other
  internal  no way out although a router is there

Node
  ip        {NET: address}
  forward   default: on when the node is on two or more nets
  routes    list of "10.9.0.0/16 via h2", "default via r dev lan metric 10", "blackhole ..."; none; auto
  nat       nets towards which it masquerades, or {to: wan, address: 192.0.2.1}
  dnat      "wan:80 -> web:8080/tcp"
  publish   "8080:80", "127.0.0.1:53:53/udp", "[::]:443:443", "8000-8010:9000-9010/tcp"
  allow, deny, in, out
            policy of what it forwards and of itself; replies always pass
  sysctl    net.* keys
  run       one command; services: name -> {cmd, ready, after, env, dir, user, stop, logs}
  ready     tcp 80, udp 53, http :80/path, log "text", cmd ...; with "within"
  netns     use an existing namespace instead of a new one; it is never deleted
  hosts, dns
            extra names and resolvers; every node's name resolves in every node

Checks
  A can|cannot ping|tcp|udp|http|dns TARGET [on NET] [within TIME] [over 4|6] [via NODE] [retry TIME]
  A can|cannot mtu N to TARGET
  A is a node, host, all or a net; TARGET is a node, node:port, all, an address or a URL.

Names of labs and nodes have no dot; host, all and out are not node names; lo, all and default are not net names. The node
called host is the namespace that warren was called from.`,
		},
		{
			Use:   "names",
			Short: "How namespaces are named on the command line",
			Long: `A lab's node is a namespace called LAB.NODE; NODE alone is enough while only one lab has it. Other forms:

  NAME           a name below /run/netns, as "ip netns" makes them; both tools see each other's
  /PATH          a file that is a namespace: /proc/4711/ns/net, a bind mount
  pid:N          the namespace of a process
  id:N           the namespace with this id as seen from here (ip netns list-id)
  cookie:N       the kernel's 64-bit cookie, which is never reused
  container:ID   of a container or pod: by its name (a pod's of Kubernetes also as NAMESPACE/NAME), its id, or the id's beginning
  host           the namespace that warren was called from`,
		},
		{
			Use:   "rootless",
			Short: "Labs of an ordinary user, without root",
			Long: `An ordinary user's labs live in a private world: a user namespace in which the user is root, with mounts and a network of
its own. The first command makes it, it ends with the last lab, and every command enters it by itself. In it everything
works as for root, with these differences.

  Names below /run/netns are the world's own: "ip netns" outside does not show them, "warren exec host -- ip netns" does.
  host is the world's own host namespace. An uplink goes on from there to the real network when pasta (package passt) or
  slirp4netns is installed; the link is called outside. Without them it ends there, and "up" says so.
  Published ports open on the real host, whether one of them is installed or not, and nodes see who connects, but for
  connections over the host's loopback. Ports below 1024 need net.ipv4.ip_unprivileged_port_start=0. When a program of the
  world is killed the next command repairs that, published ports the next "up".
  ping to the outside needs net.ipv4.ping_group_range to include the user's group. IPv6 goes out through pasta only.
  Other users' ids do not exist: a service's user can be root only.
  A program that leaves all of its namespaces to root, such as sudo, does not work there.

Warren's own files are in $XDG_RUNTIME_DIR/warren, else /tmp/warren-UID. When the process that keeps the world ("warren
@world") is killed, its labs are gone; the next command says so and makes a new world.

What can be in the way, each named in the error:
  kernel.apparmor_restrict_unprivileged_userns=1   Ubuntu; set it to 0
  kernel.unprivileged_userns_clone=0               older Debian; set it to 1
  user.max_user_namespaces=0                       set it to 15000
  nsenter is missing                               install util-linux
  a container                                      its seccomp profile forbids user namespaces`,
		},
		{
			Use:   "environment",
			Short: "Variables, files and exit statuses",
			Long: `Variables
  WARREN_RUN_DIR   directory of warren's own files instead of /run/warren
  XDG_RUNTIME_DIR  an ordinary user's files are in warren below it, else in /tmp/warren-UID (see "warren help rootless")
  NO_COLOR         when set, no colour on a terminal
  SHELL            what "warren shell" runs

Files
  ./warren.yaml    the lab file that is read when none is named
  /run/netns       named namespaces, shared with iproute2
  /run/warren      one directory per lab while it is there: lock, journal, logs, hosts files

Exit statuses
  0  yes, or done
  1  no, or failed
  2  wrong usage (plan: there are changes)
  exec and shell have the command's own; 127 when it is missing, 126 when it cannot be run`,
		},
	}
}
