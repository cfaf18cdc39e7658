package kernel

import (
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/plan"
	"warren/state"
)

// encode writes the requests of a step on what is inside of a namespace, cables and links that come excepted.
func encode(s plan.Step, names rtnl.Names) ([]nl.Request, error) {
	req, err := nl.Request{}, error(nil)
	switch o := s.Object(); {
	case o.Link != nil && s.Verb() == plan.Change:
		return changeLink(*s.Before.Link, *s.After.Link, names)
	case o.Link != nil && s.Verb() == plan.Delete:
		req, err = rtnl.DeleteLink(o.Link.Name)
	case o.Cable != nil && s.Verb() == plan.Delete:
		req, err = rtnl.DeleteLink(o.Cable.A.Link.Name)
	case o.Addr != nil:
		req, err = encodeAddr(s, names)
	case o.Route != nil:
		req, err = encodeRoute(s, names)
	case o.Rule != nil:
		return encodeRule(s)
	case o.Neighbor != nil:
		req, err = encodeNeighbor(s, names)
	case o.FDB != nil:
		req, err = encodeFDB(s, names)
	default:
		err = fmt.Errorf("no such step: %w", unix.EINVAL)
	}
	if err != nil {
		return nil, err
	}
	return []nl.Request{req}, nil
}

func encodeAddr(s plan.Step, names rtnl.Names) (nl.Request, error) {
	if s.Verb() == plan.Delete {
		return rtnl.DeleteAddr(*s.Before.Addr, names)
	}
	req, err := rtnl.CreateAddr(*s.After.Addr, names)
	if s.Verb() == plan.Change {
		req.Flags = netlink.Create | netlink.Replace
	}
	return req, err
}

func encodeRoute(s plan.Step, names rtnl.Names) (nl.Request, error) {
	switch s.Verb() {
	case plan.Create:
		return rtnl.CreateRoute(*s.After.Route, names)
	case plan.Change:
		return rtnl.ReplaceRoute(*s.After.Route, names)
	default:
		return rtnl.DeleteRoute(*s.Before.Route, names)
	}
}

// encodeRule changes a rule by adding the new one before the old one goes: the kernel cannot replace.
func encodeRule(s plan.Step) ([]nl.Request, error) {
	var reqs []nl.Request
	if s.After.Rule != nil {
		req, err := rtnl.CreateRule(*s.After.Rule)
		if err != nil {
			return nil, err
		}
		reqs = append(reqs, req)
	}
	if s.Before.Rule != nil {
		req, err := rtnl.DeleteRule(*s.Before.Rule)
		if err != nil {
			return nil, err
		}
		reqs = append(reqs, req)
	}
	return reqs, nil
}

func encodeNeighbor(s plan.Step, names rtnl.Names) (nl.Request, error) {
	switch s.Verb() {
	case plan.Create:
		return rtnl.CreateNeighbor(*s.After.Neighbor, names)
	case plan.Change:
		return rtnl.ReplaceNeighbor(*s.After.Neighbor, names)
	default:
		return rtnl.DeleteNeighbor(*s.Before.Neighbor, names)
	}
}

func encodeFDB(s plan.Step, names rtnl.Names) (nl.Request, error) {
	switch {
	case s.Verb() == plan.Delete:
		return rtnl.DeleteFDB(*s.Before.FDB, names)
	case s.Verb() == plan.Change:
		return rtnl.ReplaceFDB(*s.After.FDB, names)
	case s.After.FDB.MAC == state.MAC{}:
		return rtnl.AppendFDB(*s.After.FDB, names) // one of several remotes to flood to
	default:
		return rtnl.CreateFDB(*s.After.FDB, names)
	}
}
