package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/xt"
	"warren/state"
)

// readIPSets reads the sets that rules of iptables ask for, of the namespace that the calling thread is in. The rules know them
// by number.
func (o *observation) readIPSets(r *reading) error {
	c := &r.ns.Contents
	uses := setsAsked(c)
	if len(uses) == 0 {
		return nil
	}
	conn, err := openSocket(unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	defer conn.Close()
	names := map[uint16]string{}
	var errs []error
	for _, u := range uses {
		if _, ok := names[u.Index]; !ok {
			s, err := o.readIPSet(conn, u.Index)
			if names[u.Index] = s.Name; err != nil {
				errs = append(errs, fmt.Errorf("set %d: %w", u.Index, err))
			} else {
				c.IPSets = append(c.IPSets, s)
			}
		}
		u.Name = names[u.Index]
	}
	return errors.Join(errs...)
}

// setsAsked lists what the rules of iptables, in legacy tables and in nftables, ask of sets.
func setsAsked(c *state.Contents) (uses []*state.XTSet) {
	look := func(m *state.XTMatch) {
		if m != nil && m.Set != nil {
			uses = append(uses, m.Set)
		}
	}
	for _, t := range c.XTables {
		for _, chain := range t.Chains {
			for _, r := range chain.Rules {
				for i := range r.Matches {
					look(&r.Matches[i])
				}
			}
		}
	}
	for _, t := range c.Tables {
		for _, chain := range t.Chains {
			for _, r := range chain.Rules {
				for _, x := range r.Exprs {
					look(x.XTMatch)
				}
			}
		}
	}
	return uses
}

func (o *observation) readIPSet(conn *nl.Conn, index uint16) (s state.IPSet, err error) {
	ask := appendAttr(ipsetHead(), xt.IPSetAttrIndex, binary.BigEndian.AppendUint16(nil, index))
	answer := conn.Query([]nl.Request{{Type: xt.IPSetSubsystem | xt.IPSetByIndex, Data: ask}})[0]
	if answer.Err != nil {
		return s, answer.Err
	}
	for _, m := range answer.Messages {
		if len(m.Data) >= 4 {
			if s.Name, err = xt.DecodeIPSetName(m.Data[4:]); err != nil {
				return s, err
			}
		}
	}
	msgs, err := conn.Dump(o.ctx, nl.Request{Type: xt.IPSetSubsystem | xt.IPSetList, Data: appendAttr(ipsetHead(), xt.IPSetAttrName, append([]byte(s.Name), 0))})
	if err != nil {
		return s, err
	}
	for _, m := range msgs {
		if len(m.Data) < 4 {
			continue
		}
		if err := xt.DecodeIPSet(m.Data[4:], &s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// ipsetHead is struct nfgenmsg and the version of the protocol.
func ipsetHead() []byte {
	return appendAttr([]byte{unix.AF_INET, 0, 0, 0}, xt.IPSetAttrProtocol, []byte{xt.IPSetProtocol})
}
