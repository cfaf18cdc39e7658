package nft_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/nft"
)

func TestForeignRulesReadAsNftListsThem(t *testing.T) {
	c := world(t)
	for _, tc := range foreign() {
		t.Run(tc.name, func(t *testing.T) {
			witness(t, "flush ruleset\n"+tc.load, "-f", "-")
			want := witness(t, "", "list", "ruleset")
			tables, err := nft.Read(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, tab := range tables {
				got.WriteString(nft.Text(tab))
			}
			if diff := cmp.Diff(want, got.String()); diff != "" {
				t.Errorf("-nft +ours:\n%s", diff)
			}
		})
	}
}

type foreignCase struct{ name, load string }

// foreign are rules that others write: what is in the manual, in distributions' examples and in container runtimes' tables.
func foreign() []foreignCase {
	var cases []foreignCase
	for _, group := range []struct{ name, family, chain, sets, rules string }{
		{"inet-filter", "inet", "type filter hook forward priority filter; policy drop;", inetSets, inetRules},
		{"ip-filter", "ip", "type filter hook input priority filter - 5; policy accept;", "", ipRules},
		{"ip6-filter", "ip6", "type filter hook output priority 7; policy accept;", "", ip6Rules},
		{"inet-prerouting", "inet", "type nat hook prerouting priority dstnat; policy accept;", natMaps, dnatRules},
		{"inet-postrouting", "inet", "type nat hook postrouting priority srcnat; policy accept;", "", snatRules},
		{"ip-nat", "ip", "type nat hook prerouting priority dstnat + 3; policy accept;", "", ipNATRules},
		{"bridge", "bridge", "type filter hook forward priority filter; policy accept;", "", bridgeRules},
		{"arp", "arp", "type filter hook input priority filter; policy accept;", "", arpRules},
		{"netdev", "netdev", `type filter hook ingress device "lo" priority -500; policy accept;`, "", netdevRules},
	} {
		for i, rule := range strings.Split(strings.TrimSpace(group.rules), "\n") {
			name := group.name + "/" + strconv.Itoa(i+1) + "_" + strings.Map(word, rule)
			cases = append(cases, foreignCase{name, "table " + group.family + " t {\n" + group.sets + "\tchain a {\n\t}\n\tchain c {\n\t\t" +
				group.chain + "\n\t\t" + rule + "\n\t}\n}\n"})
		}
	}
	for i, load := range wholeTables() {
		cases = append(cases, foreignCase{"whole/" + strconv.Itoa(i+1), load})
	}
	return cases
}

// word keeps case names free of spaces and slashes.
func word(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
		return r
	}
	return '_'
}

const inetSets = `
	set addrs { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.0.1-192.168.0.9, 255.255.255.255 }; }
	set pairs { type ifname . ipv4_addr; elements = { "eth0" . 10.0.0.1 }; }
	map verdicts { type inet_service : verdict; elements = { 22 : accept, 80 : jump a }; }
`

const inetRules = `
ip saddr 10.0.0.0/24 tcp dport 80 accept
ip saddr 10.0.0.0/23 udp sport 53 accept
ip saddr != 10.0.0.0/25 accept
ip daddr 10.1.2.3 drop
ip6 saddr fd00::/64 accept
ip6 daddr 2001:db8::1 accept
ip6 daddr fe80::/10 accept
ct state established,related accept
ct state invalid drop
ct state != new drop
ct state new tcp dport { 22, 80, 443 } accept
ct state vmap { established : accept, related : accept, invalid : drop }
ct status dnat accept
ct direction reply accept
ct mark 7 accept
ct mark & 0xff == 1 accept
ct original ip saddr 1.1.1.1 accept
meta l4proto tcp ct original proto-dst 80 accept
ct expiration 30s accept
tcp flags syn drop
tcp flags & (syn|ack) == syn drop
tcp flags & (fin|syn|rst|ack) != syn drop
tcp flags & (fin|syn) == (fin|syn) drop
tcp flags == syn drop
tcp dport 1000-2000 accept
tcp dport != 1000-2000 accept
tcp dport >= 1024 accept
tcp dport { 80, 100-200, 65000-65535 } accept
tcp dport != { 80, 443 } drop
tcp dport vmap { 22 : accept, 80 : jump a }
tcp dport vmap @verdicts
udp length 8-100 accept
sctp dport 5 accept
meta l4proto { tcp, udp } th dport 53 accept
meta l4proto tcp accept
meta l4proto ipv6-icmp accept
meta nfproto ipv4 drop
meta mark 5 accept
meta mark 1-5 accept
meta mark > 9 accept
meta mark { 1, 5-9 } accept
meta mark & 0x10 == 0x10 accept
meta pkttype { broadcast, multicast } drop
meta skuid 1000 accept
meta skuid 1000-2000 accept
meta length 100-1500 accept
meta cpu 1 accept
meta cpu { 0, 2 } accept
meta priority 1:2 accept
meta protocol ip accept
iifname "eth0" oifname "eth1" accept
iifname "eth*" accept
iifname != "eth*" accept
iifname { "a", "b" } accept
iif "lo" accept
oif != "lo" accept
iifname . ip saddr { "eth0" . 10.0.0.0/24, "eth1" . 1.2.3.4 } accept
iifname . ip saddr @pairs accept
iifname . oifname { "a" . "b", "c" . "d" } accept
ip saddr @addrs accept
ip saddr != @addrs accept
ip saddr . tcp dport { 10.0.0.1 . 80, 10.0.0.2 . 443 } accept
ip protocol tcp accept
ip protocol { tcp, udp } accept
ip ttl 1 drop
ip ttl < 5 drop
ip dscp cs1 accept
ip dscp != 5 accept
ip ecn ce accept
ip length > 1000 accept
ip frag-off & 0x1fff != 0 drop
ip6 nexthdr tcp accept
ip6 hoplimit 255 accept
icmp type echo-request accept
icmp type { echo-request, echo-reply } limit rate 5/second accept
icmp code port-unreachable accept
icmpv6 type { nd-neighbor-solicit, nd-router-advert } accept
icmpv6 type echo-request accept
fib daddr type local accept
fib daddr . iif type { local, broadcast } accept
fib saddr . iif oif missing drop
fib saddr . iif oif exists accept
fib daddr type != local drop
@th,16,16 80 accept
@nh,8,8 0x10 accept
limit rate 5/second
limit rate over 10/minute burst 20 packets drop
limit rate 10 kbytes/second accept
limit rate 1 mbytes/second burst 2 mbytes accept
log
log prefix "dropped: " level info
log prefix "x" group 2
counter packets 5 bytes 600 accept
counter drop comment "with words"
reject
reject with icmpx admin-prohibited
reject with icmpx no-route
reject with tcp reset
tcp dport 113 reject with tcp reset
ip saddr 10.0.0.1 reject with icmp host-unreachable
ip6 saddr fd00::1 reject with icmpv6 no-route
reject with icmp host-prohibited
meta mark set 0x10
ct mark set 5
meta nftrace set 1
meta priority set 1:5
ip saddr set 10.0.0.1
tcp dport set 8080
jump a
goto a
return
continue
drop
notrack
ether saddr 02:00:00:00:00:01 accept
meta day 1 accept
`

const ipRules = `
ip saddr 10.0.0.0/8 tcp dport 22 accept
ip protocol icmp accept
tcp dport 80 accept
icmp type echo-request accept
reject
reject with icmp net-unreachable
ip saddr . ip daddr { 10.0.0.1 . 10.0.0.2 } accept
iifname "docker0" oifname != "docker0" counter packets 0 bytes 0 accept
`

const ip6Rules = `
ip6 saddr fd00::/8 tcp dport 22 accept
icmpv6 type nd-neighbor-solicit accept
ip6 nexthdr ipv6-icmp accept
reject
`

const natMaps = `
	map m1 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; elements = { 1.2.3.4 . tcp . 80 comment "lab/web" : 10.0.0.2 . 8080 }; }
	map m2 { type inet_proto . inet_service : ipv4_addr . inet_service; }
	map m3 { type inet_proto . inet_service : ipv6_addr . inet_service; elements = { tcp . 80 : fd00::2 . 8080 }; }
`

const dnatRules = `
meta l4proto { tcp, udp } dnat ip to 1.2.3.4:80
tcp dport 5 dnat ip to 1.2.3.4:80-90
tcp dport 5 dnat ip to 1.2.3.4
tcp dport 5 dnat ip to 1.2.3.4-1.2.3.9:80
tcp dport 5 dnat ip6 to [fd00::1]:80
tcp dport 5 dnat ip6 to fd00::1
tcp dport 99 redirect to :80
tcp dport 99 redirect to :80-90 random
redirect
dnat ip to ip daddr . meta l4proto . th dport map @m1
fib daddr type local dnat ip to meta l4proto . th dport map @m2
dnat ip6 to meta l4proto . th dport map @m3
dnat ip to tcp dport map { 80 : 2.2.2.2, 81 : 3.3.3.3 }
dnat ip to tcp dport map { 80 : 2.2.2.2 . 8080, 81 : 2.2.2.2 . 8081 }
`

const snatRules = `
masquerade
masquerade random,persistent
masquerade fully-random
tcp sport 1 masquerade to :1000-2000
tcp sport 1 masquerade to :1000-2000 random
snat ip to 1.2.3.4
snat ip to 1.2.3.4-1.2.3.9
snat ip to 1.2.3.4-1.2.3.9 persistent
oifname "wan" snat ip6 to fd00::1
ip saddr 10.0.0.0/24 oifname != "br0" masquerade
iifname "lo" ct status dnat masquerade
`

const ipNATRules = `
tcp dport 80 dnat to 10.0.0.2:8080
udp dport 53 dnat to 10.0.0.2
tcp dport 80 redirect to :8080
ip daddr 1.2.3.4 dnat to 10.0.0.1
`

const bridgeRules = `
ether saddr 02:00:00:00:00:01 accept
ether type arp drop
ether type ip ip saddr 10.0.0.1 accept
meta protocol ip tcp dport 80 accept
ip saddr 10.0.0.1 accept
arp operation request drop
ether type vlan accept
`

const arpRules = `
arp operation request accept
arp saddr ip 10.0.0.1 drop
`

const netdevRules = `
ip saddr 10.0.0.1 drop
tcp dport 80 drop
`

func wholeTables() []string {
	return []string{
		"table inet empty {\n}\n",
		"table inet t { comment \"a table\"; chain c { comment \"a chain\"; type filter hook forward priority -10; accept; }; }\n",
		"table inet t { flags dormant; chain c { type filter hook output priority -100; }; }\n",
		"table bridge d {}; table inet a {}; table ip b {}; table ip6 c {}\n",
		`table inet t {
	set a { type ipv4_addr; comment "said"; elements = { 1.1.1.1, 1.1.1.2 comment "x", 1.1.1.3 }; }
	set b { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 1-1024, 11.0.0.1 . 80 }; }
	set c { type inet_service; flags interval; elements = { 1-5, 7, 9-100, 65535 }; }
	set d { type ipv4_addr; flags dynamic,timeout; timeout 1m; }
	set e { type ifname; elements = { "br0", "docker0" }; }
	set f { type mark; flags interval; elements = { 1-5, 0x100 }; }
	set g { type ether_addr; elements = { 02:00:00:00:00:01, 02:00:00:00:00:02, 02:00:00:00:00:03 }; }
	set h { type ipv6_addr; flags interval; elements = { fd00::/64, fd00:1::1-fd00:1::5 }; }
	set i { type inet_proto; elements = { tcp, udp, icmp, 200, esp, sctp, ah }; }
	map m { type ipv4_addr : ipv4_addr; elements = { 1.1.1.1 : 2.2.2.2, 3.3.3.3 : 4.4.4.4 }; }
	map n { type ifname : verdict; elements = { "a" : drop, "b" : goto c }; }
	map o { type ipv4_addr : mark; flags interval; elements = { 10.0.0.0/8 : 5 }; }
	chain c { }
}
`,
	}
}
