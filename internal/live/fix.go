package live

import (
	"fmt"
	"strings"

	"warren/state"
)

// ruleFix takes away the rule that dropped the probe, where nftables' trace told which: "nft inet f/c handle 4".
func ruleFix(e *Event) []string {
	f := strings.Fields(e.Object)
	if len(f) != 5 || f[0] != "nft" || f[3] != "handle" {
		return []string{}
	}
	table, chain, ok := strings.Cut(f[2], "/")
	if !ok || strings.Contains(chain, "/") { // the name of either may have one
		return []string{}
	}
	cmd := fmt.Sprintf("nft delete rule %s %s %s handle %s", f[1], table, chain, f[4])
	switch ns := e.Namespace; {
	case ns == state.HostNS:
		return []string{cmd}
	case strings.Contains(ns, ":"): // ip(8) does not find it
		return []string{"warren exec " + ns + " -- " + cmd}
	default:
		return []string{"ip netns exec " + ns + " " + cmd, "warren exec " + ns + " -- " + cmd}
	}
}
