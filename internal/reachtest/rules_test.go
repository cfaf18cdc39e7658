package reachtest_test

import (
	"slices"
	"strings"
	"testing"

	"warren"
	"warren/internal/kerneltest"
)

// What was read of a rule is the rule, as the tool prints it with which it was made.
func TestRulesInTheirToolsWords(t *testing.T) {
	kerneltest.Need(t, "veth", "nftables", "iptables-legacy", "exec:ip", "exec:nft", "exec:iptables-legacy", "root")
	w, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	build(t, `P2; inside b nft 'add table inet f; add chain inet f i { type filter hook input priority 0; }; add rule inet f i tcp dport 80 ip saddr 10.0.0.0/8 drop comment "no web"'
inside b iptables-legacy -A INPUT -p udp --dport 53 -m comment --comment "no names" -j REJECT --reject-with icmp-host-prohibited`)
	settleAll(t, w)
	for _, tt := range []struct{ dst, want, told string }{
		{"10.0.0.2:80", "request b filter-drop", `tcp dport 80 ip saddr 10.0.0.0/8 drop comment "no web"`},
		{"10.0.0.2:53/udp", "request b filter-reject", `-p udp -m udp --dport 53 -m comment --comment "no names" -j REJECT --reject-with icmp-host-prohibited`},
	} {
		v := ask(t, w, question{src: "a", dst: tt.dst, want: tt.want})
		if v.Reason == nil || !slices.ContainsFunc(v.Reason.Facts, func(f string) bool { return strings.HasPrefix(f, tt.told) }) {
			t.Errorf("%s: no fact says %q: %+v", tt.dst, tt.told, v.Reason)
		}
	}
}
