package iproute

import (
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// genlLen is the length of a generic netlink message's head: the command, the version, two bytes of nothing.
const genlLen = 4

// A genlFamily is one of the kernel's parts that is spoken to over generic netlink.
type genlFamily struct {
	id     int
	groups map[string]uint32 // of notifications, by name
}

// generic is a generic netlink socket in the namespace.
func (s *session) generic() *nl.Conn {
	if s.genl == nil {
		c, err := s.space().Netlink(unix.NETLINK_GENERIC)
		if err != nil {
			exit("Cannot open generic netlink socket: %s", errnoText(err))
		}
		s.genl = c
	}
	return s.genl
}

// family finds a part of the kernel by its name; where there is none the command ends as iproute2 does.
func (s *session) family(name string) genlFamily {
	const ctrl, getFamily, attrID, attrName, attrGroups, groupName, groupID = 0x10, 3, 1, 2, 7, 1, 2
	m := rtnl.NewMessage(genlLen)
	m.Head()[0], m.Head()[1] = getFamily, 1
	m.Str(attrName, name)
	req, err := m.Request(ctrl, 0)
	if err != nil {
		die("%v", err)
	}
	r := s.generic().Query([]nl.Request{req})[0]
	if r.Err != nil {
		exit("%s\nError talking to the kernel", kernelText(r.Err))
	}
	f := genlFamily{groups: map[string]uint32{}}
	for _, msg := range r.Messages {
		if len(msg.Data) < genlLen {
			continue
		}
		a := rtnl.ParseAttrs(msg.Data[genlLen:])
		f.id = int(a.U16(attrID))
		rtnl.EachAttr(a.Bytes(attrGroups), func(_ uint16, b []byte) {
			g := rtnl.ParseAttrs(b)
			f.groups[g.Str(groupName)] = g.U32(groupID)
		})
	}
	if f.id == 0 {
		exit("Error talking to the kernel")
	}
	return f
}

// message begins a command.
func (f genlFamily) message(command uint8) *rtnl.Message {
	m := rtnl.NewMessage(genlLen)
	m.Head()[0], m.Head()[1] = command, 1 // all of them have version 1
	return m
}

// send sends a command that the kernel only acknowledges.
func (s *session) send(f genlFamily, m *rtnl.Message) {
	req, err := m.Request(f.id, 0)
	if err != nil {
		die("%v", err)
	}
	refused(s.generic().Batch([]nl.Request{req})[0])
}

// talk is send for the objects whose refusals end with status 1.
func (s *session) talk(f genlFamily, m *rtnl.Message) {
	req, err := m.Request(f.id, 0)
	if err != nil {
		die("%v", err)
	}
	if err := s.generic().Batch([]nl.Request{req})[0]; err != nil {
		fail(exitFailed, "%s", kernelText(err))
	}
}

// get sends a command and returns the attributes of the answer.
func (s *session) get(f genlFamily, m *rtnl.Message) []rtnl.Attrs {
	req, err := m.Request(f.id, 0)
	if err != nil {
		die("%v", err)
	}
	r := s.generic().Query([]nl.Request{req})[0]
	refused(r.Err)
	var list []rtnl.Attrs
	for _, msg := range r.Messages {
		if len(msg.Data) >= genlLen {
			list = append(list, rtnl.ParseAttrs(msg.Data[genlLen:]))
		}
	}
	return list
}

// list dumps a table.
func (s *session) list(f genlFamily, m *rtnl.Message) []rtnl.Attrs {
	req, err := m.Request(f.id, 0)
	if err != nil {
		die("%v", err)
	}
	msgs, err := s.generic().Dump(s.ctx, req)
	if err != nil && len(msgs) == 0 {
		fail(exitFailed, "%s\nDump terminated", kernelText(err))
	}
	var list []rtnl.Attrs
	for _, msg := range msgs {
		if len(msg.Data) >= genlLen {
			list = append(list, rtnl.ParseAttrs(msg.Data[genlLen:]))
		}
	}
	return list
}
