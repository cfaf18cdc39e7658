package warren

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"warren/internal/nft"
	"warren/internal/xt"
	"warren/netns"
	"warren/reach"
	"warren/state"
)

// Inspect reads all of one namespace, and of the others what is needed to say where its cables lead. name is what
// [Warren.Resolve] takes; the key under which the namespace is in the snapshot is returned beside it. Errors: ErrNotExist,
// ErrAmbiguous.
func (w *Warren) Inspect(ctx context.Context, lab, name string, conntrack bool) (state.Snapshot, string, error) {
	key, err := w.Key(ctx, lab, name)
	if err != nil {
		return state.Snapshot{}, "", err
	}
	parts := state.PartsAll
	if !conntrack {
		parts &^= state.PartConntrack
	}
	for range 2 {
		s, err := w.kernel.Observe(ctx, state.Query{
			Everywhere: true, Parts: state.PartLinks | state.PartProcesses | state.PartHolders | state.PartOwner,
			PartsIn: map[string]state.Parts{key: parts},
		})
		if err != nil {
			return state.Snapshot{}, "", err
		}
		if s.Namespace(key) != nil {
			Stamp(&s)
			return s, key, nil
		}
		i := slices.IndexFunc(s.Namespaces, func(n state.Namespace) bool { return slices.Contains(n.Names, key) })
		if i < 0 {
			break
		}
		key = s.Namespaces[i].Name // it has several names, and this is its key
	}
	return state.Snapshot{}, "", fmt.Errorf("namespace %q: %w (hint: it went away while it was read)", name, ErrNotExist)
}

// Key finds the key that a namespace has when all of the host is read: "host", its name, "cookie:N".
func (w *Warren) Key(ctx context.Context, lab, name string) (string, error) {
	t, err := w.Resolve(lab, name)
	if err != nil {
		return "", err
	}
	if !strings.ContainsAny(t.NS, ":/") {
		return t.NS, nil
	}
	h, err := netns.Open(ctx, t.Ref)
	if err != nil {
		return "", err
	}
	cookie := h.Cookie()
	if err := h.Close(); err != nil {
		return "", err
	}
	s, err := w.kernel.Observe(ctx, state.Query{Everywhere: true})
	if err != nil {
		return "", err
	}
	for _, n := range s.Namespaces {
		if n.Cookie == cookie && cookie != 0 {
			return n.Name, nil
		}
	}
	return "", fmt.Errorf("namespace %q: %w (hint: it went away while it was read)", name, ErrNotExist)
}

// KeyIn finds a namespace in a snapshot: by its key, a name, LAB.NODE or NODE, cookie:N, pid:N, container:ID or a path.
func KeyIn(s state.Snapshot, lab, name string) (string, error) {
	var found []string
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		switch {
		case n.Name == name && lab == "":
			return name, nil
		case lab != "" && n.Mark.Lab != lab:
		case n.Mark.Node == name && name != "", n.Name == lab+"."+name, answers(n, name):
			found = append(found, n.Name)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("namespace %q: %w in the snapshot", name, ErrNotExist)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("namespace %q %w: %v", name, ErrAmbiguous, found)
}

func answers(n *state.Namespace, name string) bool {
	for _, m := range Find(state.Snapshot{Namespaces: []state.Namespace{*n}}, name) {
		switch m.Kind {
		case "name", "path", "container", "cookie":
			return true
		case "pid":
			return name == "pid:"+strconv.Itoa(m.PID)
		}
	}
	return false
}

// ruleTexts are how the walk writes rules.
func ruleTexts() reach.RuleTexts { return reach.RuleTexts{NFT: nft.RuleText, Legacy: xt.Rule} }

// LegacyFirewallText writes a legacy table as iptables-save(8) does.
func LegacyFirewallText(t state.XTable) string { return xt.Save(t) }

// FirewallText writes an nftables table as nft(8) lists it.
func FirewallText(t state.Table) string { return nft.Text(t) }
