package nft

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mdlayher/netlink"

	"warren/state"
)

// Decode turns the kernel's messages (NFT_MSG_NEWTABLE, NEWCHAIN, NEWSET, NEWSETELEM, NEWRULE, in any order) into tables, sorted by
// family and name. Anonymous sets are put where their rules use them. It is pure.
func Decode(msgs []netlink.Message) ([]state.Table, error) {
	d := decoder{tables: make(map[string]*tableDecoder)}
	for _, kind := range []struct {
		typ uint16
		f   func(family string, body []byte) error
	}{{msgNewTable, d.table}, {msgNewChain, d.chain}, {msgNewSet, d.set}, {msgNewSetElem, d.elements}, {msgNewRule, d.rule}, {msgNewFlowtable, d.flowtable}} {
		for _, m := range msgs {
			if uint16(m.Header.Type) != subsystem|kind.typ {
				continue
			}
			if len(m.Data) < 4 {
				return nil, fmt.Errorf("nftables message %d: %w", kind.typ, errTruncated)
			}
			if err := kind.f(familyName(m.Data[0]), m.Data[4:]); err != nil {
				return nil, fmt.Errorf("nftables message %d: %w", kind.typ, err)
			}
		}
	}
	tables := make([]state.Table, 0, len(d.order))
	for _, t := range d.order {
		tables = append(tables, t.finish())
	}
	slices.SortFunc(tables, func(a, b state.Table) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Name, b.Name))
	})
	if len(tables) == 0 {
		return nil, nil
	}
	return tables, nil
}

type decoder struct {
	tables map[string]*tableDecoder
	order  []*tableDecoder
}

// A tableDecoder collects what belongs to one table.
type tableDecoder struct {
	state.Table
	sets  map[string]*setDecoder // by setKey
	names []string               // of sets, in order
}

func (d *decoder) table(family string, body []byte) error {
	a, err := attrMap(body)
	if err != nil {
		return err
	}
	if family == "" {
		return nil // a family that does not exist yet
	}
	t := &tableDecoder{sets: make(map[string]*setDecoder)}
	t.Family, t.Name = family, cstring(a[tableName])
	t.Flags, t.Handle = be32(a[tableFlags]), be64(a[tableHandle])
	t.Comment = cstring(udata(a[tableUserData], udataComment))
	if old := d.tables[t.Key()]; old != nil { // a transaction that replaces it
		old.Flags, old.Handle, old.Comment = t.Flags, t.Handle, t.Comment
		return nil
	}
	d.tables[t.Key()] = t
	d.order = append(d.order, t)
	return nil
}

// of is the table that an object belongs to; nil when the table is not there (it came and went while we were reading).
func (d *decoder) of(family string, name []byte) *tableDecoder {
	return d.tables[family+" "+cstring(name)]
}

func (d *decoder) chain(family string, body []byte) error {
	a, err := attrMap(body)
	if err != nil {
		return err
	}
	t := d.of(family, a[chainTable])
	if t == nil {
		return nil
	}
	c := state.Chain{Name: cstring(a[chainName]), Handle: be64(a[chainHandle]), Comment: cstring(udata(a[chainUserData], udataComment))}
	if h := a[chainHook]; h != nil {
		if c.Hook, err = hook(family, h); err != nil {
			return err
		}
		c.Hook.Type = cstring(a[chainType])
		c.Hook.Policy = "accept"
		if p := a[chainPolicy]; p != nil && be32(p) == 0 {
			c.Hook.Policy = "drop"
		}
	}
	t.Chains = append(t.Chains, c)
	return nil
}

// Attributes of a flowtable (NFTA_FLOWTABLE_*).
const flowTable, flowName, flowHook, flowHandle, flowFlags = 1, 2, 3, 5, 7

func (d *decoder) flowtable(family string, body []byte) error {
	a, err := attrMap(body)
	if err != nil {
		return err
	}
	t := d.of(family, a[flowTable])
	if t == nil {
		return nil
	}
	f := state.Flowtable{Name: cstring(a[flowName]), Handle: be64(a[flowHandle]), Flags: be32(a[flowFlags])}
	h, err := attrMap(a[flowHook])
	if err != nil {
		return err
	}
	f.Priority = int32(be32(h[2])) // NFTA_FLOWTABLE_HOOK_PRIORITY
	err = attrs(h[3], func(_ uint16, v []byte) error {
		f.Devices = append(f.Devices, cstring(v))
		return nil
	})
	t.Flowtables = append(t.Flowtables, f)
	return err
}

func hook(family string, b []byte) (*state.Hook, error) {
	a, err := attrMap(b)
	if err != nil {
		return nil, err
	}
	h := &state.Hook{Priority: int32(be32(a[hookPriority]))}
	if n, names := be32(a[hookNum]), hooksOf(family); n < uint32(len(names)) {
		h.Hook = names[n]
	} else {
		h.Hook = fmt.Sprintf("hook%d", n)
	}
	if v := a[hookDev]; v != nil {
		h.Devices = append(h.Devices, cstring(v))
	}
	err = attrs(a[hookDevs], func(_ uint16, v []byte) error {
		if !slices.Contains(h.Devices, cstring(v)) {
			h.Devices = append(h.Devices, cstring(v))
		}
		return nil
	})
	return h, err
}

func (d *decoder) rule(family string, body []byte) error {
	a, err := attrMap(body)
	if err != nil {
		return err
	}
	t := d.of(family, a[ruleTable])
	if t == nil {
		return nil
	}
	c := t.Chain(cstring(a[ruleChain]))
	if c == nil {
		return nil
	}
	r, err := t.decodeRule(a)
	if err != nil {
		return fmt.Errorf("table %s chain %s: %w", t.Key(), c.Name, err)
	}
	c.Rules = append(c.Rules, r)
	return nil
}

// finish puts the named sets into the table and sorts.
func (t *tableDecoder) finish() state.Table {
	for _, name := range t.names {
		if s := t.sets[name]; !s.anonymous {
			t.Sets = append(t.Sets, s.value())
		}
	}
	slices.SortStableFunc(t.Sets, func(a, b state.Set) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(t.Chains, func(a, b state.Chain) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(t.Flowtables, func(a, b state.Flowtable) int { return cmp.Compare(a.Name, b.Name) })
	return t.Table
}

// setKey identifies a set within its table: by name, and as long as the kernel has not given an anonymous one a name, by its number in the
// transaction.
func setKey(name string, id []byte) string {
	if strings.HasSuffix(name, "%d") {
		return fmt.Sprintf("%s #%d", name, be32(id))
	}
	return name
}
