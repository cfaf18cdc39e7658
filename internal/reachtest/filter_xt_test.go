package reachtest_test

import "slices"

// xtScenes are about iptables, legacy and nft.
func xtScenes() []mendable {
	return []mendable{
		{
			scene{
				"M01-owners", `P2
out() { inside ~a $1 -A OUTPUT -p tcp --dport $2 -m owner $3 $4 $5 -j $6; }
out iptables-legacy 80 --uid-owner 0 "" DROP; out iptables-legacy 81 --uid-owner 1000 "" DROP; out iptables-nft 82 ! --uid-owner 0 REJECT; out iptables-nft 83 --gid-owner 0 "" REJECT; out iptables-legacy 84 --socket-exists "" "" DROP
inside ~b iptables-legacy -A OUTPUT -p tcp --sport 85 -m owner --uid-owner 1000 -j DROP; inside ~b iptables-legacy -A OUTPUT -p icmp -m owner --socket-exists -j DROP; inside ~b iptables-legacy -A OUTPUT -p icmp -m owner --uid-owner 0 -j REJECT`,
				served("~b", "tcp 80", "tcp 81", "tcp 82", "tcp 83", "tcp 84", "tcp 85"),
				asked("~a", "10.0.0.2:80 request ~a filter-drop", "10.0.0.2:81 yes", "10.0.0.2:82 yes", "10.0.0.2:83 request ~a filter-reject", "10.0.0.2:84 request ~a filter-drop", "10.0.0.2:85 yes", "10.0.0.2 reply ~b filter-drop"),
			},
			true,
		},
		{
			scene{
				"M02-matches", `R3; f() { p=$1; shift; inside ~r iptables-legacy -A FORWARD -p tcp --dport $p "$@"; }
f 81 -m ttl --ttl-lt 64 -j DROP; f 82 -m ttl --ttl-gt 64 -j DROP; f 83 -m dscp --dscp 0 -j DROP; f 84 -m dscp --dscp-class EF -j DROP; f 85 -m tos --tos 0x10/0x3f -j DROP; f 87 -m policy --dir in --pol ipsec -j DROP
f 88 -m policy --dir in --pol none -j DROP; f 89 -m helper --helper ftp -j DROP; f 90 -m devgroup --src-group 0 -j DROP; f 91 -m devgroup ! --dst-group 0 -j DROP; f 86 -m tcpmss --mss 1000:2000 -j DROP`,
				served("~b", "tcp 81", "tcp 82", "tcp 83", "tcp 84", "tcp 85", "tcp 86", "tcp 87", "tcp 88", "tcp 89", "tcp 90", "tcp 91"),
				asked("~a", "10.0.2.2:81 request ~r filter-drop", "10.0.2.2:82 yes", "10.0.2.2:83 request ~r filter-drop", "10.0.2.2:84 yes", "10.0.2.2:85 yes", "10.0.2.2:87 yes", "10.0.2.2:88 request ~r filter-drop", "10.0.2.2:89 yes",
					"10.0.2.2:90 request ~r filter-drop", "10.0.2.2:91 yes", "10.0.2.2:86 unknown"),
			},
			false,
		},
		{
			scene{
				"M03-targets", `R6; f() { p=$1; shift; inside ~r iptables-legacy -t mangle -A FORWARD -p tcp --dport $p "$@"; }
raw() { inside ~r iptables-legacy -t raw -A PREROUTING -p tcp "$@"; }
f 81 -j TTL --ttl-set 9; f 82 -j DSCP --set-dscp 10; f 83 -j TOS --set-tos 0x10/0x3f; f 84 -j CLASSIFY --set-class 1:2; f 85 -j TEE --gateway 10.0.2.9
raw --dport 87 -j CT --helper ftp; raw --dport 88 -j CT --zone 3; raw --sport 88 -j CT --zone 3; raw --dport 89 -j CT --ctevents new; raw --dport 90 -j CT --zone-orig 4
inside ~r iptables-legacy -t mangle -A PREROUTING -p tcp --dport 80 -j TTL --ttl-dec 64; inside ~r ip6tables-legacy -t mangle -A PREROUTING -p udp -j HL --hl-set 1
inside ~r iptables-legacy -A FORWARD -m conntrack --ctstate INVALID -j DROP; inside ~r iptables-legacy -A FORWARD -m dscp --dscp 10 -j REJECT`,
				append(served("~b", "tcp 81", "tcp 82", "tcp 83", "tcp 84", "tcp 85", "tcp 87", "tcp 88", "tcp 89", "tcp 90"), "~b udp [::]:53"),
				asked("~a", "10.0.2.2:80 request ~r ttl-exceeded", "10.0.2.2:81 yes", "10.0.2.2:82 request ~r filter-reject", "10.0.2.2:83 yes", "10.0.2.2:84 yes", "10.0.2.2:85 yes",
					"10.0.2.2:87 yes", "10.0.2.2:88 yes", "10.0.2.2:89 yes", "10.0.2.2:90 yes", "[fd00:2::2]:53/udp request ~r ttl-exceeded"),
			},
			false,
		},
		{
			// A chain that is jumped to now and then, and only writes to the log, decides nothing.
			scene{
				"M04-limited-logging", `R3; for i in iptables-legacy iptables-nft; do
inside ~r $i -N LOGIT; inside ~r $i -A LOGIT -j LOG --log-prefix x; inside ~r $i -A FORWARD -m limit --limit 1/min -j LOGIT
inside ~r $i -N LOGDROP; inside ~r $i -A LOGDROP -m limit --limit 1/min -j LOG; inside ~r $i -A LOGDROP -j DROP; inside ~r $i -A FORWARD -p tcp --dport 81 -j LOGDROP; inside ~r $i -A FORWARD -p udp -m limit --limit 5/s -j RETURN
inside ~r $i -A FORWARD -p tcp --dport 82 -m limit --limit 5/s -j LOGDROP
done`,
				served("~b", "tcp 80", "tcp 81", "tcp 82", "udp 53"),
				asked("~a", "10.0.2.2:80 yes", "10.0.2.2:81 request ~r filter-drop", "10.0.2.2:53/udp yes", "10.0.2.2 yes", "10.0.2.2:82 unknown"),
			},
			false,
		},
		{
			scene{
				"M05-ufw", `P2; ipt() { inside ~b iptables-legacy "$@"; }; ipt -P INPUT DROP
for c in before user limit limit-accept not-local skip after deny after-log; do ipt -N ufw-$c; done
ipt -A INPUT -j ufw-before; ipt -A INPUT -j ufw-after; ipt -A INPUT -j ufw-after-log
ipt -A ufw-before -i lo -j ACCEPT; ipt -A ufw-before -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; ipt -A ufw-before -m conntrack --ctstate INVALID -j ufw-deny; ipt -A ufw-before -m conntrack --ctstate INVALID -j DROP
ipt -A ufw-before -p icmp --icmp-type 8 -j ACCEPT; ipt -A ufw-before -j ufw-not-local; ipt -A ufw-before -j ufw-user
ipt -A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN; ipt -A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j ufw-deny; ipt -A ufw-not-local -j DROP
ipt -A ufw-user -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name D --rsource; ipt -A ufw-user -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 --name D --rsource -j ufw-limit
ipt -A ufw-user -p tcp --dport 22 -j ufw-limit-accept; ipt -A ufw-limit -j REJECT; ipt -A ufw-limit-accept -j ACCEPT; ipt -A ufw-user -p tcp --dport 80 -j ACCEPT
ipt -A ufw-deny -m conntrack --ctstate INVALID -m limit --limit 3/min -j RETURN; ipt -A ufw-deny -m limit --limit 3/min -j LOG; ipt -A ufw-after-log -m limit --limit 3/min -j LOG --log-prefix "[UFW BLOCK] "; ipt -A ufw-after -p udp --dport 137 -j ufw-skip; ipt -A ufw-skip -j DROP`,
				served("~b", "tcp 22", "tcp 80", "tcp 81", "udp 137"),
				asked("~a", "10.0.0.2 yes", "10.0.0.2:80 yes", "10.0.0.2:81 request ~b filter-drop", "10.0.0.2:137/udp request ~b filter-drop", "10.0.0.2:22 unknown"),
			},
			true,
		},
		{
			scene{
				"M06-marks-that-route", `R3; cable ~r r3 ~b vc; at ~r r3 10.0.3.1/24; at ~b vc 10.0.3.2/24; ip -n ~r rule add fwmark 0x100/0xf00 lookup 100; ip -n ~r route add 10.0.2.0/24 via 10.0.3.2 table 100; ip -n ~r rule add fwmark 0x200/0xf00 blackhole
ipt() { inside ~r iptables-legacy -t mangle -A PREROUTING "$@"; }
ipt -j CONNMARK --restore-mark --nfmask 0xf00 --ctmask 0xf00; ipt -m mark ! --mark 0/0xf00 -j RETURN; ipt -i r1 -p tcp --dport 80 -j MARK --or-mark 0x100; ipt -i r1 -p tcp --dport 81 -j MARK --set-xmark 0x200/0xf00; ipt -j CONNMARK --save-mark --nfmask 0xf00 --ctmask 0xf00
inside ~r iptables-legacy -A FORWARD -o r2 -p tcp --dport 80 -j DROP`,
				served("~b", "tcp 80", "tcp 81"), asked("~a", "10.0.2.2:80 yes", "10.0.2.2:81 request ~r route-blackhole", "10.0.2.2 yes"),
			},
			true,
		},
		{
			scene{
				"M07-negations", `R3; f() { inside ~r iptables-nft -A FORWARD "$@"; }; f -p tcp -m iprange ! --src-range 10.0.1.1-10.0.1.5 -j DROP; f -p tcp ! --dport 80:89 ! -s 10.0.2.2 -j REJECT --reject-with tcp-reset; f ! -p tcp ! -i r1 -j DROP; f -p udp -m multiport --sports 1:1023 -j DROP; f -p tcp ! --syn -m conntrack --ctstate NEW -j DROP; f -p tcp -m addrtype ! --src-type UNICAST -j DROP`,
				served("~b", "tcp 80", "tcp 90", "udp 53"),
				slices.Concat(asked("~a", "10.0.2.2:80 reply ~r filter-drop", "10.0.2.2:90 request ~r filter-reject", "10.0.2.2 reply ~r filter-drop", "10.0.2.2:53/udp reply ~r filter-drop")),
			},
			true,
		},
	}
}
