package seetest_test

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"warren/netns"
)

// links are the situations that single links can be in.
func links() []situation {
	return []situation{
		{name: "renamed", make: func(w *world) func(*seen) {
			w.add("z-renamed")
			w.sh("ip -n z-renamed link add name before type veth peer name other; ip -n z-renamed link set before name after")
			return func(s *seen) {
				s.is("the old name", s.ns("z-renamed").Link("before") == nil, true)
				s.is("peer of the other end", s.link("z-renamed", "other").Peer.Name, "after")
				s.finds("after", "z-renamed", "interface")
			}
		}},
		{name: "altnames", make: func(w *world) func(*seen) {
			w.add("z-alt")
			long := strings.Repeat("a-very-long.name", 8)[:127]
			w.sh("ip -n z-alt link property add dev lo altname second altname '%s'", long)
			return func(s *seen) {
				s.is("altnames", s.link("z-alt", "lo").AltNames, []string{long, "second"})
				s.finds("second", "z-alt", "interface")
			}
		}},
		{name: "alias-with-blanks", make: func(w *world) func(*seen) {
			w.add("z-alias")
			w.sh(`ip -n z-alias link set lo alias 'to the  "left", ünïcode'`)
			return func(s *seen) {
				s.is("alias", s.link("z-alias", "lo").Alias, `to the  "left", ünïcode`)
				s.finds(`to the  "left", ünïcode`, "z-alias", "interface")
			}
		}},
		{name: "odd-link-name", make: func(w *world) func(*seen) {
			w.add("z-oddlink")
			w.sh(`ip -n z-oddlink link add '$(id)"&'"'" type veth peer name 'b.c-@_='`)
			return func(s *seen) { s.is("peer", s.link("z-oddlink", `$(id)"&'`).Peer.Name, `b.c-@_=`) }
		}},
		{name: "link-down", make: func(w *world) func(*seen) {
			w.add("z-down")
			w.sh("ip -n z-down link add name a type veth peer name b; ip -n z-down link set dev a up")
			return func(s *seen) {
				s.is("a", fmt.Sprint(s.link("z-down", "a").Up, s.link("z-down", "a").OperState), "trueLOWERLAYERDOWN")
				s.is("b", fmt.Sprint(s.link("z-down", "b").Up, s.link("z-down", "b").OperState), "falseDOWN")
			}
		}},
		{name: "loopback-down", make: func(w *world) func(*seen) {
			w.add("z-lo")
			return func(s *seen) {
				s.is("up", s.link("z-lo", "lo").Up, false)
				s.is("addresses", len(s.ns("z-lo").Addrs), 0)
			}
		}},
		{name: "bridge", needs: []string{"bridge"}, make: func(w *world) func(*seen) {
			w.add("z-bridge")
			w.sh(`ip -n z-bridge link add name br type bridge stp_state 1 forward_delay 200
				for i in 1 2; do ip -n z-bridge link add p$i type veth peer name q$i; ip -n z-bridge link set dev p$i master br; done
				ip -n z-bridge link set dev p1 type bridge_slave isolated on hairpin on; ip -n z-bridge link set dev br address 02:00:5e:10:00:01`)
			return func(s *seen) {
				br := s.link("z-bridge", "br")
				s.is("its own", fmt.Sprint(*br.Bridge.STP, br.Bridge.ForwardDelay, br.MACAssign), "true 200 3")
				p := s.link("z-bridge", "p1")
				s.is("port", fmt.Sprint(p.Master, *p.Port.Isolated, *p.Port.Hairpin), "brtrue true")
				s.is("other port", fmt.Sprint(*s.link("z-bridge", "p2").Port.Isolated, *s.link("z-bridge", "p2").Port.State), "false 0")
				s.finds("02:00:5e:10:00:01", "z-bridge", "mac")
				if _, ok := s.ns("z-bridge").Sysctl("net/bridge/bridge-nf-call-iptables"); !ok {
					s.Error("where there is a bridge, its settings decide")
				}
				if _, ok := s.ns("z-lo").Sysctl("net/bridge/bridge-nf-call-iptables"); ok {
					s.Error("settings of bridges where there is none")
				}
			}
		}},
		{name: "macvlan-with-parent-elsewhere", needs: []string{"macvlan"}, make: func(w *world) func(*seen) {
			w.add("z-parent", "z-child")
			w.sh(`ip -n z-parent link add name par type veth peer name end
				ip -n z-parent link add name mv link par type macvlan mode private; ip -n z-parent link set dev mv netns z-child`)
			return func(s *seen) {
				l := s.link("z-child", "mv")
				s.is("mode", l.MACVLAN.Mode, "private")
				s.is("parent", l.Lower.NS+" "+l.Lower.Name, "z-parent par")
			}
		}},
		{name: "vxlan", needs: []string{"vxlan"}, make: func(w *world) func(*seen) {
			w.add("z-vxlan")
			w.sh("ip -n z-vxlan link add name vx type vxlan id 77 remote 192.0.2.9 dstport 4789")
			return func(s *seen) {
				v := s.link("z-vxlan", "vx").VXLAN
				s.is("vxlan", fmt.Sprint(v.ID, v.Remote, v.Port), "77 192.0.2.9 4789")
			}
		}},
		{name: "persistent-tap", needs: []string{"tun"}, make: func(w *world) func(*seen) {
			w.add("z-tap")
			w.sh("ip -n z-tap tuntap add dev t0 mode tap")
			return func(s *seen) { s.is("kind", s.link("z-tap", "t0").Kind, "tun") }
		}},
		{name: "many-links", make: func(w *world) func(*seen) {
			w.add("z-many")
			w.sh("for i in $(seq 100); do echo link add a$i type veth peer name b$i; done | ip -n z-many -batch -")
			return func(s *seen) {
				s.is("links", len(s.ns("z-many").Links), 201)
				s.is("peer", s.link("z-many", "a73").Peer.Name, "b73")
			}
		}},
	}
}

// wires are the situations of cables between namespaces.
func wires() []situation {
	return []situation{
		{name: "equal-indexes", make: func(w *world) func(*seen) {
			w.add("z-equal1", "z-equal2", "z-equal3")
			w.sh(`ip -n z-equal1 link add name e index 77 type veth peer name e index 77 netns z-equal2
				ip -n z-equal3 link add name x index 77 type veth peer name y index 78`)
			return func(s *seen) {
				for a, b := range map[string]string{"z-equal1": "z-equal2", "z-equal2": "z-equal1"} {
					p := s.link(a, "e").Peer
					s.is("peer", fmt.Sprint(p.NS, " ", p.Name, " ", p.Index), b+" e 77")
				}
				s.is("in one namespace", s.link("z-equal3", "x").Peer.NS, "z-equal3")
			}
		}},
		{name: "peer-without-a-name", make: func(w *world) func(*seen) {
			w.add("z-near")
			pid := w.live("unshare", "-n", "sh", "-c", thereAndSleep)
			w.sh("ip -n z-near link add name here type veth peer name there netns %d", pid)
			return func(s *seen) {
				p := s.link("z-near", "here").Peer
				s.is("peer", p.NS+" "+p.Name, s.of(pid).Name+" there")
				s.page("z-near", "there")
			}
		}},
		{name: "peer-that-cannot-be-opened", make: func(w *world) func(*seen) {
			w.add("z-blind")
			pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			w.keep(pair[0], err)
			w.keep(pair[1], nil)
			w.fresh(func(h *netns.Handle, path string) {
				w.sh(`touch /run/z-hide; mount --bind %s /run/z-hide; ip -n z-blind link add name out type veth peer name hiding netns /run/z-hide
					umount /run/z-hide; rm /run/z-hide`, path)
				if err := unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(h.FD()), nil, 0); err != nil {
					w.Fatal(err)
				}
			})
			return func(s *seen) {
				p := s.link("z-blind", "out").Peer
				s.is("peer", p.NS+" "+p.Name, " hiding")
				u := s.unread("z-blind")
				if len(u) != 1 || u[0].Object != fmt.Sprintf("the namespace that it knows as id %d", p.NSID) || u[0].Reason == "" {
					s.Errorf("unread: %+v", u)
				}
			}
		}},
		{name: "without-an-id-here", make: func(w *world) func(*seen) {
			w.add("z-noid", "z-withid")
			w.sh("ip netns set z-withid 4711")
			return func(s *seen) {
				ids := map[string]int{}
				for _, id := range s.ns("host").NSIDs {
					ids[id.NS] = id.ID
				}
				s.is("the id that was given", ids["z-withid"], 4711)
				if id, ok := ids["z-noid"]; ok {
					s.Errorf("looking gave it the id %d", id)
				}
				s.is("ip's word", strings.Contains(w.sh("ip netns list-id"), "z-noid"), false)
			}
		}},
		{name: "id-of-nobody", make: func(w *world) func(*seen) {
			w.add("z-a", "z-b")
			w.sh("ip -n z-a link add name one type veth peer name two netns z-b; ip -n z-a link del dev one")
			return func(s *seen) {
				for _, id := range s.ns("z-a").NSIDs {
					s.is("who is behind it", id.NS, "z-b")
				}
				s.is("unread", len(s.unread("z-a")), 0)
			}
		}},
		{name: "cable-to-the-host", make: func(w *world) func(*seen) {
			w.add("z-cabled")
			w.sh("ip link add z-host type veth peer name up netns z-cabled")
			w.Cleanup(func() { w.sh("ip link del z-host") })
			return func(s *seen) {
				s.is("far end", s.link("z-cabled", "up").Peer.NS+" "+s.link("z-cabled", "up").Peer.Name, "host z-host")
				s.is("near end", s.link("host", "z-host").Peer.NS+" "+s.link("host", "z-host").Peer.Name, "z-cabled up")
			}
		}},
		{name: "link-moved-there-and-back", make: func(w *world) func(*seen) {
			w.add("z-from", "z-to")
			w.sh(`ip -n z-from link add name m type veth peer name stays; ip -n z-from link set dev m netns z-to
				ip -n z-to link set dev m netns z-from; ip -n z-from link set dev m netns z-to`)
			return func(s *seen) {
				s.is("peer", s.link("z-from", "stays").Peer.NS+" "+s.link("z-from", "stays").Peer.Name, "z-to m")
				s.is("left behind", s.ns("z-from").Link("m") == nil, true)
			}
		}},
	}
}
