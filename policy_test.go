package warren_test

import (
	"fmt"
	"testing"

	"warren/internal/kerneltest"
)

const policyNets = `
name: pol
nets:
  lan: {cidr: [10.1.0.0/24, "fd00:1::/64"], nodes: [r: 10.1.0.1, h: 10.1.0.10]}
  srv: {cidr: [10.2.0.0/24, "fd00:2::/64"], nodes: [r: 10.2.0.1, web: 10.2.0.10, db: 10.2.0.20]}
  ext: {cidr: [10.3.0.0/24, "fd00:3::/64"], nodes: [r: 10.3.0.1, x: 10.3.0.10]}
`

// TestPolicies: what routers forward, and what nodes receive and send. A refused packet is answered unless the file says
// drop; replies always pass.
func TestPolicies(t *testing.T) {
	kerneltest.LeakCheck(t)
	cases := []struct {
		name, nodes, checks string
		questions           []question
	}{
		{
			"allow", `r: {allow: [ext -> web:80/tcp, web -> db, lan -> ext, lan -> web:53/udp, "h -> 10.2.0.20:90-99"]}`, `
  - h can ping x
  - x cannot ping h within 300ms
  - h cannot ping web within 300ms
  - web can ping db
  - h can ping r
  - x can ping r
`, []question{
				{"pol.x", "tcp", "10.2.0.10:80", "10.3.0.10"},
				{"pol.x", "tcp", "[fd00:2::2]:80", "fd00:3::2"},
				{"pol.x", "tcp", "10.2.0.10:81", refused},
				{"pol.x", "tcp", "[fd00:2::2]:81", refused},
				{"pol.x", "udp", "10.2.0.10:53", refused},
				{"pol.x", "tcp", "10.2.0.20:80", refused},
				{"pol.h", "udp", "10.2.0.10:53", "10.1.0.10"},
				{"pol.h", "tcp", "10.2.0.20:95", "10.1.0.10"},
				{"pol.h", "tcp", "10.2.0.20:80", refused},
				{"pol.h", "tcp", "10.3.0.10:80", "10.1.0.10"},
				{"pol.web", "tcp", "10.2.0.20:80", "10.2.0.10"},
				{"pol.x", "tcp", "10.1.0.10:80", refused},
			},
		},
		{
			"allow_nothing", `r: {allow: []}`, "  - h cannot ping web within 300ms\n  - h can ping r\n",
			[]question{{"pol.h", "tcp", "10.2.0.10:80", refused}, {"pol.web", "tcp", "10.2.0.20:80", "10.2.0.10"}},
		},
		{
			"allow_drop", `r: {allow: [lan -> web:80], deny: [drop]}`, "",
			[]question{{"pol.h", "tcp", "10.2.0.10:80", "10.1.0.10"}, {"pol.h", "tcp", "10.2.0.10:81", silence}, {"pol.x", "udp", "10.2.0.10:53", silence}},
		},
		{
			"deny", `r: {deny: [ext -> db drop, ext -> web:81, "x -> h/icmp", lan -> web/udp, "fd00:3::/64 -> srv:80"]}`, `
  - x cannot ping h within 300ms
  - x cannot ping h over 6 within 300ms
  - h can ping x
  - x can ping web
  - x cannot ping db within 300ms
`, []question{
				{"pol.x", "tcp", "10.2.0.20:80", silence},
				{"pol.x", "tcp", "10.2.0.10:81", refused},
				{"pol.x", "tcp", "10.2.0.10:80", "10.3.0.10"},
				{"pol.x", "tcp", "[fd00:2::2]:80", refused},
				{"pol.h", "udp", "10.2.0.10:53", refused},
				{"pol.x", "udp", "10.2.0.10:53", "10.3.0.10"},
				{"pol.x", "tcp", "10.1.0.10:80", "10.3.0.10"},
				{"pol.db", "tcp", "10.3.0.10:80", "10.2.0.20"}, // the other way is open, replies pass
			},
		},
		{
			"in", `web: {in: [tcp 80 from lan, icmp, "udp 53 from 10.3.0.0/24"]}`, `
  - x can ping web
  - web can ping x
  - h can ping web over 6
`, []question{
				{"pol.h", "tcp", "10.2.0.10:80", "10.1.0.10"},
				{"pol.h", "tcp", "[fd00:2::2]:80", "fd00:1::2"},
				{"pol.h", "tcp", "10.2.0.10:81", refused},
				{"pol.x", "tcp", "10.2.0.10:80", refused},
				{"pol.x", "udp", "10.2.0.10:53", "10.3.0.10"},
				{"pol.h", "udp", "10.2.0.10:53", refused},
				{"pol.web", "tcp", "10.3.0.10:80", "10.2.0.10"},
				{"pol.web", "tcp", "127.0.0.1:81", "127.0.0.1"},
			},
		},
		{
			"in_deny_drop", `web: {deny: {in: [tcp 80 from x drop, tcp 81]}}`, "  - x can ping web\n",
			[]question{
				{"pol.x", "tcp", "10.2.0.10:80", silence},
				{"pol.h", "tcp", "10.2.0.10:80", "10.1.0.10"},
				{"pol.h", "tcp", "10.2.0.10:81", refused},
			},
		},
		{
			"out", `h: {out: [tcp 80 to web, icmp]}`, "  - h can ping x\n  - h can ping x over 6\n",
			[]question{
				{"pol.h", "tcp", "10.2.0.10:80", "10.1.0.10"},
				{"pol.h", "tcp", "[fd00:2::2]:80", "fd00:1::2"},
				{"pol.h", "tcp", "10.2.0.10:81", refused},
				{"pol.h", "tcp", "10.2.0.20:80", refused},
				{"pol.h", "udp", "10.2.0.10:53", denied},
				{"pol.x", "tcp", "10.1.0.10:80", "10.3.0.10"}, // answers are no new connections
			},
		},
		{
			"out_deny", `h: {deny: {out: [all to ext drop, udp 53]}}`, "  - h cannot ping x within 300ms\n  - h can ping web\n  - x can ping h\n",
			[]question{
				{"pol.h", "tcp", "10.3.0.10:80", silence},
				{"pol.h", "udp", "10.2.0.10:53", denied},
				{"pol.h", "tcp", "10.2.0.10:80", "10.1.0.10"},
			},
		},
		{
			"nothing", "", "  - h can ping x\n",
			[]question{{"pol.h", "tcp", "10.2.0.10:80", "10.1.0.10"}},
		},
	}
	file := lift(t, policyNets)
	servers := func() {
		for _, ns := range []string{"h", "x", "web", "db"} {
			serve(t, "pol."+ns, "tcp", ":80")
		}
		serve(t, "pol.web", "tcp", ":81")
		serve(t, "pol.db", "tcp", ":95")
		serve(t, "pol.web", "udp", ":53")
	}
	servers()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := policyNets
			if c.nodes != "" {
				text += "nodes:\n  " + c.nodes + "\n"
			}
			if c.checks != "" {
				text += fmt.Sprintf("checks:%s", "\n"+c.checks)
			}
			change(t, file, text)
			asked(t, c.questions)
		})
	}
	if out := sh(t, "for n in r h web; do ip netns exec pol.$n nft list tables; done"); out != "" {
		t.Errorf("tables are left where no policy is any more:\n%s", out)
	}
}
