package warren

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"warren/state"
	"warren/topo"
)

// foreignDrops looks for other people's chains that drop what the host forwards, unless their own rules accept it: our
// table cannot overrule them, and putting rules into them is not ours. Each becomes a note with the command that would
// help. Chains that name the bridge in a rule that accepts are left out: somebody has done so.
func (w *Warren) foreignDrops(ctx context.Context, x *topo.Expanded) ([]string, error) {
	if len(x.Uplinks) == 0 {
		return nil, nil
	}
	have, err := w.kernel.Observe(ctx, state.Query{Names: []string{state.HostNS}, Parts: state.PartFirewall})
	if err != nil {
		return nil, fmt.Errorf("lab %q: read the host's firewall: %w", x.Lab, err)
	}
	host := have.Namespace(state.HostNS)
	if host == nil {
		return nil, nil
	}
	var notes []string
	for i := range host.Tables {
		t := &host.Tables[i]
		if t.Name == state.FirewallTable && t.Family == "inet" {
			continue
		}
		for _, c := range t.Chains {
			if c.Hook == nil || c.Hook.Type != "filter" || c.Hook.Hook != "forward" || c.Hook.Policy != "drop" {
				continue
			}
			if n := dropNote(t, &c, x.Uplinks); n != "" {
				notes = append(notes, n)
			}
		}
	}
	return notes, nil
}

// dropNote says that a chain drops what the uplinks forward; "" when it accepts it, or carries another family.
func dropNote(t *state.Table, c *state.Chain, uplinks []topo.UplinkInfo) string {
	var nets, help []string
	for _, u := range uplinks {
		carries := slices.ContainsFunc(u.Gateways, func(a netip.Addr) bool {
			return t.Family == "inet" || a.Is4() && t.Family == "ip" || a.Is6() && t.Family == "ip6"
		})
		if !carries {
			continue
		}
		missing := false
		for _, key := range []string{"iifname", "oifname"} {
			if !acceptsLink(t, key, u.Bridge) {
				missing = true
				help = append(help, fmt.Sprintf("insert rule %s %s %s %s %q accept", t.Family, t.Name, c.Name, key, u.Bridge))
			}
		}
		if missing {
			nets = append(nets, u.Net)
		}
	}
	if len(nets) == 0 {
		return ""
	}
	return fmt.Sprintf("the chain %s of table %s %s has the policy drop: it may keep packets from and to net %s (this would help: nft '%s')",
		c.Name, t.Family, t.Name, strings.Join(nets, ", "), strings.Join(help, "; "))
}

// acceptsLink reports whether some rule of a table accepts packets by nothing but one interface.
func acceptsLink(t *state.Table, key, link string) bool {
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			named, accepts := false, false
			for _, e := range r.Exprs {
				switch {
				case e.Match != nil && e.Match.Left.Meta == key && e.Match.Op == "" && e.Match.Value != nil:
					named = *e.Match.Value == state.IfnameValue(link)
				case e.Verdict != nil:
					accepts = e.Verdict.Kind == "accept"
				}
			}
			if named && accepts {
				return true
			}
		}
	}
	return false
}
