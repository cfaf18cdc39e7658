package nft

import (
	"context"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/state"
)

// ErrChanged says that the rules kept changing while they were read. What comes with it may be half old, half new.
var ErrChanged = errors.New("the nftables rules changed during each attempt to read them")

// readAttempts bounds the retries of Read.
const readAttempts = 6

// Generation is the number of the namespace's present set of rules; every transaction makes a new one.
func Generation(c *nl.Conn) (uint32, error) {
	r := c.Exchange([]nl.Request{{Type: subsystem | msgGetGen, Data: []byte{0, 0, 0, 0}}})[0]
	if r.Err != nil {
		return 0, fmt.Errorf("read nftables generation: %w", r.Err)
	}
	for _, m := range r.Messages {
		if uint16(m.Header.Type) == subsystem|msgNewGen && len(m.Data) >= 4 {
			a, err := attrMap(m.Data[4:])
			if err != nil {
				return 0, fmt.Errorf("read nftables generation: %w", err)
			}
			return be32(a[genID]), nil
		}
	}
	return 0, fmt.Errorf("read nftables generation: %w", nl.ErrNoAnswer)
}

// Read reads all tables of a namespace as they were at one moment. When the rules changed during each of several attempts, the last
// one's tables come together with an error that is [ErrChanged].
func Read(ctx context.Context, c *nl.Conn) ([]state.Table, error) {
	return read(ctx, c, func() ([]netlink.Message, error) {
		// Tables first: most namespaces have none, and then that was all.
		msgs, err := c.Dump(ctx, nl.Request{Type: subsystem | msgGetTable, Data: []byte{0, 0, 0, 0}})
		if err != nil || len(msgs) == 0 {
			return msgs, err
		}
		return parts(ctx, c, msgs, 0, "")
	})
}

// ReadTable reads one table; nil when there is none of that name. It is cheap when there is none: one request, whatever else the
// namespace holds.
func ReadTable(ctx context.Context, c *nl.Conn, family, name string) (*state.Table, error) {
	id, ok := familyID(family)
	if !ok {
		return nil, fmt.Errorf("read nft table %s %s: %w: family", family, name, ErrUnsupported)
	}
	tables, err := read(ctx, c, func() ([]netlink.Message, error) {
		w := writer{b: []byte{id, 0, 0, 0}}
		w.string(tableName, name)
		r := c.Exchange([]nl.Request{{Type: subsystem | msgGetTable, Data: w.b}})[0]
		if errors.Is(r.Err, unix.ENOENT) {
			return nil, nil
		}
		if r.Err != nil {
			return nil, r.Err
		}
		return parts(ctx, c, r.Messages, id, name)
	})
	if len(tables) == 0 {
		return nil, err
	}
	return &tables[0], err
}

// read collects messages between two looks at the generation, and decodes them.
func read(ctx context.Context, c *nl.Conn, collect func() ([]netlink.Message, error)) ([]state.Table, error) {
	before, err := Generation(c)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		msgs, err := collect()
		// A set that is gone when its elements are asked for is a change like any other.
		changed := errors.Is(err, nl.ErrInconsistent) || errors.Is(err, unix.ENOENT)
		if err != nil && !changed {
			return nil, fmt.Errorf("read nftables: %w", err)
		}
		if len(msgs) == 0 && !changed {
			return nil, nil
		}
		after, err := Generation(c)
		if err != nil {
			return nil, err
		}
		changed = changed || before != after
		if changed && attempt < readAttempts {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			before = after
			continue
		}
		tables, err := Decode(msgs)
		if err != nil {
			return nil, fmt.Errorf("read nftables: %w", err)
		}
		if changed {
			return tables, fmt.Errorf("%w (%d attempts)", ErrChanged, readAttempts)
		}
		return tables, nil
	}
}

// parts adds chains, sets, rules and elements to the messages of tables: of the named table, or of all.
func parts(ctx context.Context, c *nl.Conn, msgs []netlink.Message, family uint8, table string) ([]netlink.Message, error) {
	for _, p := range []struct {
		typ      uint16
		nameAttr uint16 // by which the kernel itself picks the table; 0 = it cannot
	}{{msgGetChain, 0}, {msgGetSet, setTable}, {msgGetRule, ruleTable}} {
		w := writer{b: []byte{family, 0, 0, 0}}
		if table != "" && p.nameAttr != 0 {
			w.string(p.nameAttr, table)
		}
		list, err := c.Dump(ctx, nl.Request{Type: netlink.HeaderType(subsystem | p.typ), Data: w.b})
		if err != nil && !errors.Is(err, nl.ErrInconsistent) {
			return nil, err
		}
		msgs = append(msgs, list...)
		if err != nil {
			return msgs, err
		}
		if p.typ != msgGetSet {
			continue
		}
		for _, m := range list {
			elems, err := setElements(ctx, c, m)
			msgs = append(msgs, elems...)
			if err != nil {
				return msgs, err
			}
		}
	}
	return msgs, nil
}

// setElements reads the elements of one set.
func setElements(ctx context.Context, c *nl.Conn, set netlink.Message) ([]netlink.Message, error) {
	if len(set.Data) < 4 {
		return nil, errTruncated
	}
	a, err := attrMap(set.Data[4:])
	if err != nil {
		return nil, err
	}
	w := writer{b: []byte{set.Data[0], 0, 0, 0}}
	w.bytes(elemsTable, a[setTable])
	w.bytes(elemsSet, a[setName])
	return c.Dump(ctx, nl.Request{Type: subsystem | msgGetSetElem, Data: w.b})
}
