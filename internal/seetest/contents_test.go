package seetest_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"warren/netns"
	"warren/state"
)

// contents are the situations of what a namespace holds beside its links. fields_test.go compares field by field.
func contents() []situation {
	return []situation{
		{name: "same-address-twice", make: func(w *world) func(*seen) {
			w.add("z-addr1", "z-addr2")
			w.sh("for i in 1 2; do ip -n z-addr$i addr add 10.123.0.1/24 dev lo; done")
			return func(s *seen) {
				var where []string
				for _, n := range s.snap.Namespaces {
					for _, a := range n.Addrs {
						if a.Prefix.Addr() == netip.MustParseAddr("10.123.0.1") {
							where = append(where, n.Name)
						}
					}
				}
				s.is("where", where, []string{"z-addr1", "z-addr2"})
			}
		}},
		{name: "ipv6-off", needs: []string{"ipv6", "exec:sysctl"}, make: func(w *world) func(*seen) {
			w.add("z-no6")
			w.sh("ip netns exec z-no6 sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip -n z-no6 link set lo up")
			return func(s *seen) {
				v, _ := s.ns("z-no6").Sysctl("net/ipv6/conf/all/disable_ipv6")
				s.is("setting", v, "1")
				s.is("addresses", len(s.ns("z-no6").Addrs), 1)
			}
		}},
		{name: "thousand-routes", make: func(w *world) func(*seen) {
			w.add("z-routes")
			w.sh(`ip -n z-routes link set lo up; for i in $(seq 0 999); do echo route add 10.77.$((i / 250)).$((i % 250))/32 dev lo table $((1000 + i % 7)); done | ip -n z-routes -batch -`)
			return func(s *seen) {
				n := 0
				for _, r := range s.ns("z-routes").Routes {
					if r.Table >= 1000 {
						n++
					}
				}
				s.is("routes", n, 1000)
			}
		}},
		{name: "rule-order", make: func(w *world) func(*seen) {
			w.add("z-rules")
			w.sh("for p in 30 10 20; do ip -n z-rules rule add priority $p from 10.0.0.0/8 lookup 9$p; done")
			return func(s *seen) {
				var order []uint32
				for _, r := range s.ns("z-rules").Rules {
					if r.Priority > 0 && r.Priority < 100 {
						order = append(order, r.Priority)
					}
				}
				s.is("order", order, []uint32{10, 20, 30})
			}
		}},
		{name: "nft-comments-and-odd-names", needs: []string{"nftables", "exec:nft"}, make: func(w *world) func(*seen) {
			w.add("z-nft")
			w.sh(`ip netns exec z-nft nft 'add table inet a-b_c.d; add chain inet a-b_c.d x { type filter hook input priority -5; policy drop; }; add rule inet a-b_c.d x tcp dport { 22, 80-90 } counter accept comment "let \"in\" ünï"' 2>/dev/null ||
				ip netns exec z-nft nft 'add table inet a-b_c; add chain inet a-b_c x { type filter hook input priority -5; policy drop; }; add rule inet a-b_c x tcp dport { 22, 80-90 } counter accept comment "let in"'`)
			return func(s *seen) {
				t := s.ns("z-nft").Tables
				if len(t) != 1 || len(t[0].Chains) != 1 || len(t[0].Chains[0].Rules) != 1 {
					s.Fatalf("tables %+v", t)
				}
				h := t[0].Chains[0].Hook
				s.is("hook", fmt.Sprint(h.Hook, h.Priority, h.Policy), "input-5drop")
				s.page("z-nft", "tcp dport { 22, 80-90 }", "accept")
			}
		}},
		{name: "legacy-iptables", needs: []string{"iptables-legacy", "exec:/usr/sbin/xtables-legacy-multi"}, make: func(w *world) func(*seen) {
			w.add("z-legacy")
			w.sh("ip netns exec z-legacy /usr/sbin/xtables-legacy-multi iptables -A INPUT -p tcp --dport 23 -j DROP")
			return func(s *seen) {
				x := s.ns("z-legacy").XTables
				if len(x) != 1 || x[0].Name != "filter" {
					s.Errorf("tables %+v", x)
				}
				s.page("z-legacy", "23", "DROP")
			}
		}},
		{name: "no-table-is-made-by-looking", needs: []string{"iptables-legacy"}, make: func(w *world) func(*seen) {
			w.add("z-untouched")
			return func(s *seen) {
				s.is("legacy tables", w.sh("ip netns exec z-untouched cat /proc/net/ip_tables_names /proc/net/ip6_tables_names"), "")
				s.is("in the snapshot", len(s.ns("z-untouched").XTables)+len(s.ns("z-untouched").Tables), 0)
			}
		}},
		{name: "connection", needs: []string{"nftables", "exec:nft", "exec:conntrack"}, make: func(w *world) func(*seen) {
			w.add("z-conn")
			w.sh("ip -n z-conn link set lo up; ip netns exec z-conn nft 'add table inet c; add chain inet c i { type filter hook input priority 0; }; add rule inet c i ct state established accept'")
			w.connect("z-conn", 8222)
			return func(s *seen) {
				n := s.ns("z-conn")
				var tcp []string
				for _, k := range n.Sockets {
					if k.Protocol == "tcp" {
						tcp = append(tcp, k.State)
					}
				}
				slices.Sort(tcp)
				s.is("sockets", tcp, []string{"ESTAB", "ESTAB", "LISTEN"})
				s.is("tracked, as conntrack says", len(n.Conntrack), strings.Count(w.sh("ip netns exec z-conn conntrack -L 2>/dev/null"), "\n"))
				s.finds("port:8222", "z-conn", "port")
			}
		}},
		{name: "sockets-of-all-kinds", make: func(w *world) func(*seen) {
			w.add("z-socks")
			w.sockets("z-socks")
			return func(s *seen) {
				kinds := map[string]int{}
				for _, k := range s.ns("z-socks").Sockets {
					kinds[k.Protocol]++
					if k.Process == nil || k.Inode == 0 {
						s.Errorf("nobody has %+v", k)
					}
				}
				s.is("kinds", kinds, map[string]int{"tcp": 1, "udp": 2, "raw": 1, "unix": 2, "packet": 1})
			}
		}},
		{name: "forwarding-settings", needs: []string{"exec:sysctl"}, make: func(w *world) func(*seen) {
			w.add("z-sys")
			w.sh("ip netns exec z-sys sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.all.proxy_arp=1 net.ipv6.conf.all.proxy_ndp=1 net.ipv4.conf.all.ignore_routes_with_linkdown=1 net.ipv6.conf.all.forwarding=1 'net.ipv4.ping_group_range=5 7'")
			return func(s *seen) {
				for key, want := range map[string]string{
					"net/ipv4/ip_forward": "1", "net/ipv4/conf/all/rp_filter": "2", "net/ipv4/conf/all/proxy_arp": "1", "net/ipv6/conf/all/proxy_ndp": "1",
					"net/ipv4/conf/all/ignore_routes_with_linkdown": "1", "net/ipv6/conf/all/forwarding": "1", "net/ipv4/ping_group_range": "5\t7",
				} {
					got, _ := s.ns("z-sys").Sysctl(key)
					s.is(key, got, want)
				}
				s.page("z-sys", "net.ipv4.ip_forward")
			}
		}},
		{name: "several-ways", needs: []string{"exec:sysctl"}, make: func(w *world) func(*seen) {
			w.add("z-ways")
			w.sh(`ip -n z-ways link add w1 type veth peer name w2; ip -n z-ways link set w1 up; ip -n z-ways link set w2 up; ip -n z-ways addr add 10.0.0.1/24 dev w1
				ip -n z-ways route add 10.9.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop via 10.0.0.3
				ip netns exec z-ways sysctl -qw net.ipv4.fib_multipath_hash_policy=1`)
			return func(s *seen) {
				v, _ := s.ns("z-ways").Sysctl("net/ipv4/fib_multipath_hash_policy")
				s.is("how ways are chosen", v, "1")
				i := slices.IndexFunc(s.ns("z-ways").Routes, func(r state.Route) bool { return r.Dst == netip.MustParsePrefix("10.9.0.0/16") })
				if i < 0 || len(s.ns("z-ways").Routes[i].NextHops) != 2 || s.ns("z-ways").Routes[i].NextHops[0].Weight != 3 {
					s.Errorf("routes %+v", s.ns("z-ways").Routes)
				}
			}
		}},
		{name: "qdiscs", needs: []string{"tbf", "exec:tc"}, make: func(w *world) func(*seen) {
			w.add("z-qdisc")
			w.sh("ip -n z-qdisc link add name a type veth peer name b; ip netns exec z-qdisc tc qdisc add dev a root tbf rate 1mbit burst 10kb latency 50ms")
			return func(s *seen) {
				s.is("there", slices.ContainsFunc(s.ns("z-qdisc").Qdiscs, func(q state.Qdisc) bool { return q.Link == "a" && q.Kind == "tbf" }), true)
			}
		}},
	}
}

// socket opens one in a namespace until the test ends.
func (w *world) socket(h *netns.Handle, domain, typ, proto int, addr unix.Sockaddr, backlog int) int {
	w.Helper()
	fd := w.keep(h.Socket(domain, typ, proto))
	if addr != nil {
		if err := unix.Bind(fd, addr); err != nil {
			w.Fatal(err)
		}
	}
	if backlog > 0 {
		if err := unix.Listen(fd, backlog); err != nil {
			w.Fatal(err)
		}
	}
	return fd
}

func (w *world) handle(name string) *netns.Handle {
	w.Helper()
	h, err := netns.OpenPath(netns.Dir + "/" + name)
	if err != nil {
		w.Fatal(err)
	}
	return h
}

// sockets opens some of every kind.
func (w *world) sockets(ns string) {
	h := w.handle(ns)
	defer h.Close()
	w.socket(h, unix.AF_INET, unix.SOCK_STREAM, 0, &unix.SockaddrInet4{Port: 80}, 3)
	w.socket(h, unix.AF_INET, unix.SOCK_DGRAM, 0, &unix.SockaddrInet4{Port: 53}, 0)
	w.socket(h, unix.AF_INET6, unix.SOCK_DGRAM, 0, &unix.SockaddrInet6{Port: 54}, 0)
	w.socket(h, unix.AF_INET, unix.SOCK_RAW, 89, nil, 0)
	w.socket(h, unix.AF_UNIX, unix.SOCK_STREAM, 0, &unix.SockaddrUnix{Name: "@z-" + ns}, 1)
	w.socket(h, unix.AF_UNIX, unix.SOCK_SEQPACKET, 0, &unix.SockaddrUnix{Name: "@z-seq-" + ns}, 0)
	w.socket(h, unix.AF_PACKET, unix.SOCK_DGRAM, 0x0300, nil, 0) // ETH_P_ALL
}

// connect makes a connection on the loopback.
func (w *world) connect(ns string, port int) {
	w.Helper()
	h := w.handle(ns)
	defer h.Close()
	l := w.socket(h, unix.AF_INET, unix.SOCK_STREAM, 0, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}, 3)
	c := w.socket(h, unix.AF_INET, unix.SOCK_STREAM, 0, nil, 0)
	if err := unix.Connect(c, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		w.Fatal(err)
	}
	fd, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
	w.keep(fd, err)
}
