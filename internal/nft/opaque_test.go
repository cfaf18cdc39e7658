package nft_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/kerneltest"
	"warren/internal/nft"
)

// TestUnknownExpressionsAreNamed loads rules that this package does not understand: each is read as what is understood of it and opaque
// values for the rest, in the kernel's order, and can be written back as it was.
func TestUnknownExpressionsAreNamed(t *testing.T) {
	c := world(t)
	for _, tc := range []struct{ rule, want string }{
		{"ct mark set meta mark", "ct mark set meta mark"},
		{"meta mark set meta mark | 1 accept", "meta mark set meta mark & 0xfffffffe ^ 0x00000001 accept"},
		{"ip dscp set cs1", "meta nfproto ipv4 @nh,0,16 set @nh,0,16 & 65283 ^ 32"},
		{"ip ttl set 5", "meta nfproto ipv4 @nh,64,16 set @nh,64,16 & 255 ^ 1280"},
		{"iifname \"a\" meta mark set numgen inc mod 3 drop", "iifname \"a\" <numgen> <meta> drop"},
		{"tcp option maxseg size 1400 accept", "<exthdr> <cmp> accept"},
		{"tcp flags syn tcp option maxseg size set 1400", "tcp flags syn <immediate> <exthdr>"},
		{"ip saddr 10.0.0.1 add @dyn { ip saddr timeout 5s } accept", "ip saddr 10.0.0.1 <payload> <dynset> accept"},
		{"quota over 10 mbytes drop", "<quota> drop"},
		{"ct count over 5 drop", "<connlimit> drop"},
		{"counter name \"hits\" accept", "<objref> accept"},
		{"meta mark set ip saddr map { 10.0.0.1 : 5, 10.0.0.2 : 6 }", "meta mark set ip saddr map { 10.0.0.1 : 0x00000005, 10.0.0.2 : 0x00000006 }"},
		{"meta mark set jhash ip saddr mod 2", "meta nfproto ipv4 <payload> <hash> <meta>"},
		{"ip6 nexthdr 0 exthdr hbh exists accept", "ip6 nexthdr 0 <exthdr> <cmp> accept"},
		{"ip dscp { cs1, cs2 } accept", "meta nfproto ipv4 @nh,8,8 & 252 { 32, 64 } accept"},
		{"log prefix \"x\" snaplen 20 group 1", "<log>"},
		{"socket mark 5 accept", "<socket> <cmp> accept"},
		{"tcp dport 80 ip saddr @dyn meta mark set ct mark accept", "tcp dport 80 ip saddr @dyn meta mark set ct mark accept"},
	} {
		t.Run(strings.Map(word, tc.rule), func(t *testing.T) {
			load := "flush ruleset\ntable inet t {\n counter hits { }\n set dyn { type ipv4_addr; flags dynamic,timeout; }\n" +
				" chain c { type filter hook prerouting priority 0;\n " + tc.rule + "\n }\n}\n"
			witness(t, load, "-f", "-")
			before := witness(t, "", "list", "table", "inet", "t")
			table, err := nft.ReadTable(t.Context(), c, "inet", "t")
			if err != nil || table == nil {
				t.Fatal(table, err)
			}
			if got := nft.RuleText("inet", table.Chains[0].Rules[0]); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if strings.Contains(tc.rule, "hits") || strings.Contains(tc.rule, "cs2") || strings.Contains(tc.rule, "size set") {
				// A named counter is no part of a table's value; an anonymous set of an opaque lookup neither; and of a changed TCP
				// option the kernel gives an attribute (flags) that it does not take.
				return
			}
			if err := nft.Apply(c, []nft.Op{{Replace: table}}); err != nil {
				t.Fatal(err)
			}
			before = strings.Replace(before, "\tcounter hits {\n\t\tpackets 0 bytes 0\n\t}\n\n", "", 1)
			if diff := cmp.Diff(before, witness(t, "", "list", "table", "inet", "t")); diff != "" {
				t.Errorf("-loaded +written back:\n%s", diff)
			}
		})
	}
}

// TestIptablesRules reads what iptables-nft wrote: its extensions are opaque, and what they restrict is not lost.
func TestIptablesRules(t *testing.T) {
	kerneltest.Need(t, "exec:iptables-nft")
	c := world(t)
	out, err := exec.Command("iptables-nft", "-A", "FORWARD", "-s", "10.0.0.0/8", "-m", "time", "--timestart", "10:00", "-j", "DROP").CombinedOutput() //nolint:noctx // ends by itself
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	table, err := nft.ReadTable(t.Context(), c, "ip", "filter")
	if err != nil || table == nil {
		t.Fatal(table, err)
	}
	want := "ip saddr 10.0.0.0/8 <xt -m time [24 bytes]> counter packets 0 bytes 0 drop"
	if got := nft.RuleText("ip", table.Chain("FORWARD").Rules[0]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
