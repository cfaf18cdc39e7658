package nft

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	r := c.Query([]nl.Request{{Type: subsystem | msgGetGen, Data: []byte{0, 0, 0, 0}}})[0]
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
		// Tables first: where there are none that was all.
		msgs, err := c.Dump(ctx, nl.Request{Type: subsystem | msgGetTable, Data: []byte{0, 0, 0, 0}})
		if err != nil || len(msgs) == 0 {
			return msgs, err
		}
		msgs, err = parts(ctx, c, msgs, 0, "")
		if err != nil {
			return msgs, err
		}
		flows, err := c.Dump(ctx, nl.Request{Type: subsystem | msgGetFlowtable, Data: []byte{0, 0, 0, 0}})
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
			return msgs, nil // before Linux 4.16
		}
		return append(msgs, flows...), err
	})
}

// HasTables reports whether a namespace has any table of a family. It is one request.
func HasTables(ctx context.Context, c *nl.Conn, family string) (bool, error) {
	id, ok := familyID(family)
	if !ok {
		return false, fmt.Errorf("read nft tables of family %s: %w: family", family, ErrUnsupported)
	}
	msgs, err := c.Dump(ctx, nl.Request{Type: subsystem | msgGetTable, Data: []byte{id, 0, 0, 0}})
	return len(msgs) > 0, err
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

// firstGeneration is the number of a namespace's rules in which no transaction was ever carried out: it has no tables
// (nf_tables_init_net in net/netfilter/nf_tables_api.c, since Linux 3.18, which has the request).
const firstGeneration = 1

// read collects messages between two looks at the generation, and decodes them.
func read(ctx context.Context, c *nl.Conn, collect func() ([]netlink.Message, error)) ([]state.Table, error) {
	before, err := Generation(c)
	if err != nil {
		return nil, err
	}
	if before == firstGeneration {
		return nil, nil
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
//
// The kernel keeps a set without intervals in a hash table that grows in the background, some milliseconds after elements were added. A
// dump that this falls into starts over or goes on at a wrong place: it holds elements twice, may miss as many, and says nothing
// (the generation is the same). Since the walk counts what it has given, nothing is missing as long as nothing is there twice.
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
	for pause := time.Millisecond; ; pause *= 2 {
		msgs, err := c.Dump(ctx, nl.Request{Type: subsystem | msgGetSetElem, Data: w.b})
		if err != nil {
			return msgs, err
		}
		twice, err := holdsTwice(msgs)
		if err != nil || !twice {
			return msgs, err
		}
		if pause > longestPause {
			return msgs, fmt.Errorf("set %s: %w", cstring(a[setName]), nl.ErrInconsistent)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// longestPause between two attempts to read a set whose table is growing; all together wait twice as long.
const longestPause = 256 * time.Millisecond

// holdsTwice reports whether an element stands more than once in a dump of a set.
func holdsTwice(msgs []netlink.Message) (twice bool, err error) {
	seen := make(map[string]struct{})
	for _, m := range msgs {
		if len(m.Data) < 4 {
			return false, errTruncated
		}
		err := attrs(m.Data[4:], func(typ uint16, list []byte) error {
			if typ != elemsList {
				return nil
			}
			return attrs(list, func(_ uint16, e []byte) error {
				// What tells elements apart: key, and whether it is the end of an interval.
				var id []byte
				err := attrs(e, func(typ uint16, v []byte) error {
					if typ == elemKey || typ == elemKeyEnd || typ == elemFlags {
						id = append(append(id, byte(typ)), v...)
					}
					return nil
				})
				before := len(seen)
				seen[string(id)] = struct{}{}
				twice = twice || len(seen) == before
				return err
			})
		})
		if err != nil {
			return false, err
		}
	}
	return twice, nil
}
