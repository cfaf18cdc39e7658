package filter_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// ruleset is a random set of tables in nft's language. Every base chain lets the control datagram through first.
func ruleset(r *rand.Rand) string {
	var b strings.Builder
	for i := range 1 + r.IntN(2) {
		family := []string{"ip", "inet"}[r.IntN(2)]
		fmt.Fprintf(&b, "table %s t%d {\n", family, i)
		b.WriteString("\tset ports { type inet_service; flags interval; elements = { 1000-1001, 3000-4000 } }\n")
		b.WriteString("\tset hosts { type ipv4_addr; flags interval; elements = { 10.9.0.0/30, 10.7.0.0/16 } }\n")
		b.WriteString("\tset pairs { type ipv4_addr . inet_service; elements = { 10.9.0.1 . 1000, 10.9.0.1 . 2000, 10.1.1.1 . 1001 } }\n")
		b.WriteString("\tset marks { type mark; flags interval; elements = { 1-3, 0x100 } }\n")
		b.WriteString("\tmap where { type inet_service : verdict; elements = { 1000 : jump sub, 1001 : continue, 1002 : accept, 2000 : goto last } }\n")
		b.WriteString("\tmap moved { type inet_service : inet_service; elements = { 1000 : 2000, 1001 : 1002 } }\n")
		fmt.Fprintf(&b, "\tchain last {\n%s\t}\n", rules(r, 2, nil))
		fmt.Fprintf(&b, "\tchain sub {\n%s\t}\n", rules(r, 3, []string{"jump last", "goto last", "return"}))
		for j := range 1 + r.IntN(3) {
			hook := []string{"prerouting", "input"}[r.IntN(2)]
			policy := []string{"accept", "accept", "drop"}[r.IntN(3)]
			prio := []int{-300, -150, -50, 0, 10}[r.IntN(5)]
			fmt.Fprintf(&b, "\tchain c%d {\n\t\ttype filter hook %s priority %d; policy %s;\n\t\tudp dport 9 accept\n%s\t}\n",
				j, hook, prio, policy, rules(r, 5, []string{"jump sub", "goto sub", "jump last", "return"}))
		}
		if r.IntN(3) == 0 {
			fmt.Fprintf(&b, "\tchain nat {\n\t\ttype nat hook prerouting priority -100;\n\t\tudp dport 9 accept\n\t\tmeta l4proto udp %s%s\n\t}\n", match(r), nat(r, family))
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func rules(r *rand.Rand, most int, jumps []string) string {
	var b strings.Builder
	for range r.IntN(most + 1) {
		b.WriteString("\t\t")
		for range r.IntN(3) {
			b.WriteString(match(r))
		}
		b.WriteString(action(r, jumps))
		b.WriteString("\n")
	}
	return b.String()
}

func pick(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }

func match(r *rand.Rand) string {
	not := pick(r, "", "", "!= ")
	switch r.IntN(22) {
	case 0:
		return "udp dport " + not + pick(r, "1000", "1001-1002", "{ 1000, 2000 }", "{ 1-1001, 5000 }", "@ports") + " "
	case 1:
		return "udp sport " + pick(r, "< 40000", ">= 40000", "20000-30000", "!= 30000-50000") + " "
	case 2:
		return "ip saddr " + not + pick(r, "10.9.0.1", "10.9.0.0/24", "10.8.0.0/15", "@hosts", "{ 10.9.0.0/31, 1.2.3.4 }") + " "
	case 3:
		return "ip daddr " + not + pick(r, "10.9.0.2", "10.9.0.128/25", "10.0.0.1-10.10.0.0") + " "
	case 4:
		return pick(r, "iifname ", "iifname != ") + pick(r, "vb", `"v*"`, "eth0", `{ "vb", "lo" }`) + " "
	case 5:
		return "meta mark " + not + pick(r, "0", "1", "0x100", "1-5", "@marks", "& 1 == 1", "and 0xff == 0x2") + " "
	case 6:
		return "meta l4proto " + not + pick(r, "udp", "tcp", "{ tcp, udp }") + " "
	case 7:
		return "ip dscp " + not + pick(r, "cs0", "ef", "0x04", "{ ef, cs1 }") + " "
	case 8:
		return "ip ttl " + pick(r, "64", "< 10", "!= 5", ">= 64") + " "
	case 9:
		return "ip length " + pick(r, "< 100", "> 100", "38", "!= 38") + " "
	case 10:
		return "ct state " + not + pick(r, "new", "established,related", "invalid", "new,untracked", "untracked") + " "
	case 11:
		return "ct status " + pick(r, "dnat", "confirmed", "snat") + " "
	case 12:
		return "ct mark " + not + pick(r, "0", "7") + " "
	case 13:
		return "fib daddr type " + not + pick(r, "local", "broadcast", "{ local, multicast }") + " "
	case 14:
		return "ip saddr . udp dport " + not + pick(r, "@pairs", "{ 10.9.0.1 . 1000, 10.9.0.1 . 1002 }") + " "
	case 15:
		return "meta pkttype " + not + pick(r, "host", "broadcast") + " "
	case 16:
		return "meta protocol " + not + pick(r, "ip", "ip6") + " "
	case 17:
		return "ip protocol " + not + pick(r, "udp", "17", "icmp") + " "
	case 18:
		return "@nh,64,8 " + pick(r, "64", "5", "!= 5") + " "
	case 19:
		return "@th,16,16 " + not + pick(r, "1000", "0x7d0") + " "
	case 20:
		return "meta l4proto udp ct original proto-dst " + not + pick(r, "1000", "1001") + " "
	default:
		return "tcp dport " + pick(r, "1000", "!= 1000") + " "
	}
}

func action(r *rand.Rand, jumps []string) string {
	switch r.IntN(12) {
	case 0, 1:
		return "accept"
	case 2, 3:
		return "drop"
	case 4:
		return "reject"
	case 5:
		return "meta mark set " + pick(r, "1", "2", "0x100")
	case 6:
		return "counter"
	case 7:
		return "ct mark set 7"
	case 8:
		return pick(r, "notrack", "log prefix \"x\"", "counter continue")
	case 9:
		if len(jumps) > 3 && r.IntN(2) == 0 {
			return pick(r, "udp dport vmap @where", "ip ttl vmap { 64 : jump sub, 5 : return }", "udp dport vmap { 1000-1001 : drop, 2000 : accept }")
		}
		return "udp dport vmap { 1000 : accept, 1002 : drop }"
	default:
		if jumps != nil {
			return pick(r, jumps...)
		}
		return "return"
	}
}

func nat(r *rand.Rand, family string) string {
	dnat := "dnat to "
	if family == "inet" {
		dnat = "dnat ip to "
	}
	return pick(r, "redirect to :1002", dnat+"10.9.0.2:2000", "redirect to udp dport map @moved", dnat+"10.7.7.7", "accept")
}
