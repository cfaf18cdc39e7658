package iproute

import (
	"errors"
	"syscall"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// domainTable is the table of a routing domain (a link of kind vrf). Where no link is called "default" that word is the main table;
// 0 says that there is none.
func (s *session) domainTable(name string) uint32 {
	msgs, err := s.askLink(name)
	if errors.Is(err, syscall.ENODEV) && name == "default" {
		return unix.RT_TABLE_MAIN
	}
	if err != nil || len(msgs) == 0 {
		return 0
	}
	l, ok := readLink(msgs[0].Data)
	if !ok {
		return 0
	}
	table, _ := vrfTable(&l)
	return table
}

// domain is the index of a routing domain; what is none is refused with that sentence.
func (s *session) domain(name, what string) uint32 {
	if msgs, err := s.askLink(name); err == nil && len(msgs) > 0 {
		if l, ok := readLink(msgs[0].Data); ok && l.isKind("vrf") {
			return uint32(l.index)
		}
	}
	invalid(what, name)
	return 0
}

func (s *session) askLink(name string) ([]netlink.Message, error) {
	req, err := rtnl.GetLink(name)
	if err != nil {
		return nil, err
	}
	return s.ask(req)
}
