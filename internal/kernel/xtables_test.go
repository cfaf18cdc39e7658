package kernel_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/kerneltest"
	"warren/internal/xt"
	"warren/state"
)

// legacyRules are written as iptables-save writes them, so that what is read can be compared with the words.
const legacyRules = `*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:EMPTY - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -m comment --comment "let us in" -j ACCEPT
-A INPUT ! -s 192.168.0.0/255.255.0.255 -i eth+ -p udp -m udp --sport 53:60 ! --dport 99 -j DOCKER
-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT
-A INPUT -p tcp -m multiport --dports 80,443,1000:2000 -j ACCEPT
-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A INPUT -f
-A INPUT -m mark --mark 0x1/0xff -j RETURN
-A INPUT -m addrtype --dst-type LOCAL --limit-iface-in -j ACCEPT
-A INPUT -m iprange --src-range 10.0.0.1-10.0.0.9 -j DROP
-A INPUT -m mac --mac-source 02:00:5e:00:53:01 -j ACCEPT
-A INPUT -m pkttype --pkt-type broadcast -j DROP
-A INPUT -m length --length 100:200 -j ACCEPT
-A INPUT ! -p gre -m conntrack ! --ctstate INVALID --ctorigdst 10.1.2.3 --ctorigdstport 80 -j LOG
-A INPUT -m conntrack --ctstatus SEEN_REPLY,ASSURED -j ACCEPT
-A INPUT -m conntrack --ctdir REPLY -j ACCEPT
-A INPUT -m conntrack --ctorigsrc 10.0.0.1 --ctexpire 5:10 -j ACCEPT
-A INPUT -m conntrack --ctproto 6 --ctorigsrc 10.0.0.0/8 --ctorigdstport 80:90 -j ACCEPT
-A INPUT -m state --state NEW -j ACCEPT
-A INPUT -m comment --comment "a:b" -j ACCEPT
-A INPUT -m comment --comment "a\'b\"c" -j ACCEPT
-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT
-A FORWARD -m physdev --physdev-is-in --physdev-in a --physdev-out b --physdev-is-bridged -j ACCEPT
-A FORWARD -p tcp -m tcp ! --tcp-flags SYN,ACK SYN -j DROP
-A FORWARD -p ospf -j ACCEPT
-A FORWARD -o docker0 -g DOCKER
-A FORWARD -m ttl --ttl-lt 64 -j ACCEPT
-A FORWARD -m ttl --ttl-eq 64 -j ACCEPT
-A FORWARD -m dscp --dscp 0x2e -j ACCEPT
-A FORWARD -m dscp ! --dscp 0x00 -j ACCEPT
-A FORWARD -m tos --tos 0x10/0x3f -j ACCEPT
-A FORWARD -m devgroup --src-group 0x5 ! --dst-group 0x1/0xf -j ACCEPT
-A FORWARD -m policy --dir in --pol none -j ACCEPT
-A FORWARD -m helper --helper ftp -j ACCEPT
-A OUTPUT -m owner --uid-owner 0 -j ACCEPT
-A OUTPUT -m owner ! --uid-owner 5-9 --gid-owner 7 -j ACCEPT
-A OUTPUT -m owner --socket-exists -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER -j REJECT --reject-with icmp-host-prohibited
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 172.16.5.0/24 -j NETMAP --to 10.0.2.0/24
-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.2:80
-A PREROUTING -p tcp -m tcp --dport 8081 -j REDIRECT --to-ports 81
-A POSTROUTING -s 10.0.0.0/24 ! -o br0 -j MASQUERADE
-A POSTROUTING -s 10.9.0.0/24 -j SNAT --to-source 192.0.2.1-192.0.2.4
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A FORWARD -j TTL --ttl-set 9
-A FORWARD -j TTL --ttl-dec 1
-A FORWARD -j DSCP --set-dscp 0x0a
-A FORWARD -j TOS --set-tos 0x10/0x3f
COMMIT
*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -j CT --zone 3
-A PREROUTING -j CT --zone-orig 4
COMMIT
`

const legacyRules6 = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -s fd00::/8 -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT
-A INPUT -d fd00::1/128 -p udp -m udp --dport 53 -j ACCEPT
-A FORWARD -p tcp -j REJECT --reject-with tcp-reset
-A FORWARD -j REJECT --reject-with icmp6-adm-prohibited
COMMIT
*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -p udp -j CT --notrack
COMMIT
`

// TestLegacyTables compares with iptables-save, word by word; a match that is not understood is there by name.
func TestLegacyTables(t *testing.T) {
	kerneltest.Need(t, "iptables-legacy", "exec:iptables-legacy-restore", "exec:ip")
	leakCheck(t)
	k := newKernel(t)
	run(t, "ip", "netns", "add", "old")
	t.Cleanup(func() { run(t, "ip", "netns", "del", "old") })
	read := func() map[string]string {
		s := observe(t, k, state.Query{Names: []string{"old"}, Parts: state.PartXTables})
		got := map[string]string{}
		for _, table := range s.Namespaces[0].XTables {
			name := table.Name
			if table.IPv6 {
				name += "6"
			}
			got[name] = xt.Save(table)
		}
		return got
	}
	if got := read(); len(got) != 0 {
		t.Fatalf("a new namespace has tables: %v", got)
	}
	for _, f := range []struct{ program, rules, suffix string }{{"iptables-legacy", legacyRules, ""}, {"ip6tables-legacy", legacyRules6, "6"}} {
		pipe(t, f.rules, "ip", "netns", "exec", "old", f.program+"-restore")
		got := read()
		for _, want := range splitTables(f.rules) {
			name := strings.TrimPrefix(strings.SplitN(want, "\n", 2)[0], "*") + f.suffix
			if diff := cmp.Diff(want, got[name]); diff != "" {
				t.Errorf("table %s (-as written +as read):\n%s", name, diff)
			}
		}
		saved := string(run(t, "ip", "netns", "exec", "old", f.program+"-save"))
		for _, want := range splitTables(withoutComments(saved)) {
			name := strings.TrimPrefix(strings.SplitN(want, "\n", 2)[0], "*") + f.suffix
			if diff := cmp.Diff(lower(want), lower(got[name])); diff != "" {
				t.Errorf("table %s (-iptables-save +as read):\n%s", name, diff)
			}
		}
	}
	names := string(run(t, "ip", "netns", "exec", "old", "cat", "/proc/thread-self/net/ip_tables_names"))
	read()
	if again := string(run(t, "ip", "netns", "exec", "old", "cat", "/proc/thread-self/net/ip_tables_names")); again != names {
		t.Errorf("reading made tables: %q, before %q", again, names)
	}
	run(t, "ip", "netns", "exec", "old", "iptables-legacy", "-A", "OUTPUT", "-m", "statistic", "--mode", "random", "--probability", "0.5", "-j", "ACCEPT")
	if got := read()["filter"]; !strings.Contains(got, "-A OUTPUT -m statistic [") {
		t.Errorf("a match that is not understood:\n%s", got)
	}
}

// TestNFTExtensions reads what iptables-nft puts into nftables.
func TestNFTExtensions(t *testing.T) {
	kerneltest.Need(t, "nftables", "exec:iptables-nft-restore", "exec:ip")
	leakCheck(t)
	k := newKernel(t)
	run(t, "ip", "netns", "add", "new")
	t.Cleanup(func() { run(t, "ip", "netns", "del", "new") })
	pipe(t, legacyRules, "ip", "netns", "exec", "new", "iptables-nft-restore")
	s := observe(t, k, state.Query{Names: []string{"new"}, Parts: state.PartFirewall | state.PartXTables})
	if len(s.Namespaces[0].XTables) != 0 {
		t.Errorf("iptables-nft made legacy tables: %v", s.Namespaces[0].XTables)
	}
	matches, targets := map[string]bool{}, map[string]bool{}
	for _, table := range s.Namespaces[0].Tables {
		for _, c := range table.Chains {
			for _, r := range c.Rules {
				for _, x := range r.Exprs {
					switch {
					case x.XTMatch != nil:
						matches[x.XTMatch.Name] = true
						if x.XTMatch.Data != nil {
							t.Errorf("match %s is not understood", x.XTMatch.Name)
						}
					case x.XTTarget != nil:
						targets[x.XTTarget.Name] = true
						if x.XTTarget.Data != nil {
							t.Errorf("target %s is not understood", x.XTTarget.Name)
						}
					case x.Opaque != nil:
						t.Errorf("%s: %s is opaque", c.Name, x.Opaque.Name)
					}
				}
			}
		}
	}
	for _, want := range []string{"conntrack", "addrtype", "physdev"} {
		if !matches[want] {
			t.Errorf("no match %s among %v", want, matches)
		}
	}
	for _, want := range []string{"LOG", "MASQUERADE", "DNAT"} {
		if !targets[want] {
			t.Errorf("no target %s among %v", want, targets)
		}
	}
}

func splitTables(text string) []string {
	var list []string
	for part := range strings.SplitAfterSeq(text, "COMMIT\n") {
		if part != "" {
			list = append(list, part)
		}
	}
	return list
}

func withoutComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// lower: iptables writes MAC addresses in capitals in some versions, in small letters in others.
func lower(s string) string { return strings.ToLower(s) }

func pipe(t *testing.T, input string, command ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Stdin = strings.NewReader(input)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, &out)
	}
}
