package iproute

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/sockdiag"
)

// A ssSocket is a socket of any family, as far as all are alike.
type ssSocket struct {
	family        uint8
	netid         string
	status        sockdiag.Status
	recvQ, sendQ  int32
	local, remote ssEnd
	link          uint32
	inode, uid    uint32
	cookie        uint64
	mark          uint32
	cgroup        uint64

	protocol int // of an internet socket
	inet     *sockdiag.Inet
	unix     *sockdiag.Unix
	packet   *sockdiag.Packet
	netlink  *sockdiag.Netlink
}

// A ssEnd is one end's address: numbers for conditions, and what is printed.
type ssEnd struct {
	name  string // of a unix socket, "" = none
	addr  []byte
	port  int64
	text  string // the address
	delim string // between the two
	place string // the port
}

func (k *ssSocket) end(peer bool) *ssEnd {
	if peer {
		return &k.remote
	}
	return &k.local
}

// wanted reports whether the socket fulfils the conditions.
func (s *ss) wanted(k *ssSocket) bool { return s.sel.filter == nil || s.sel.filter.matches(s, k) }

// begin writes what all sockets have: state, queues, addresses and, when they are wanted, processes.
func (s *ss) begin(k *ssSocket) {
	t := s.table
	t.seek(colNetns)
	t.printf("%s", s.place)
	t.seek(colNetid)
	if k.protocol == unix.IPPROTO_SCTP && k.inode != 0 && k.inode == s.sctpInode {
		// An association has the inode of its endpoint, which came before.
		t.seek(colState)
		t.printf("`- %s", sctpState(k.status))
	} else {
		t.printf("%s", k.netid)
		t.seek(colState)
		t.printf("%s", k.status)
	}
	t.seek(colRecvQ)
	t.printf("%-6d", k.recvQ)
	t.seek(colSendQ)
	t.printf("%-6d", k.sendQ)
	t.seek(colAddr)
	for _, e := range []*ssEnd{&k.local, &k.remote} {
		t.printf("%s%s", e.text, e.delim)
		t.next()
		t.printf("%s", e.place)
		t.next()
	}
	if k.family != unix.AF_NETLINK && (s.opt.processes || s.opt.threads) {
		if list := s.users(k.inode); list != "" {
			t.printf(" users:(%s)", list)
		}
	}
}

// details writes what -e adds.
func (s *ss) details(k *ssSocket) {
	t := s.table
	if k.uid != 0 {
		t.printf(" uid:%d", k.uid)
	}
	t.printf(" ino:%d sk:%x", k.inode, k.cookie)
	if k.mark != 0 {
		t.printf(" fwmark:0x%x", k.mark)
	}
	if k.cgroup != 0 {
		t.printf(" cgroup:%s", s.cgroupPath(k.cgroup))
	}
}

// shutdown is which ways are closed, "<->" being none.
func shutdown(mask uint8) string {
	b := []byte("<->")
	if mask&1 != 0 {
		b[0] = '-'
	}
	if mask&2 != 0 {
		b[2] = '-'
	}
	return string(b)
}

// newline starts a line of details, or goes on in the same one.
func (s *ss) newline() {
	if !s.opt.oneline {
		s.table.printf("\n\t")
	}
}

// lineOr starts a line of details, or writes a space.
func (s *ss) lineOr() {
	if s.opt.oneline {
		s.table.printf(" ")
	} else {
		s.table.printf("\n\t")
	}
}

// buffers writes the memory that a socket takes.
func (s *ss) buffers(b *sockdiag.Buffers, m *sockdiag.Memory) {
	switch {
	case b != nil:
		s.table.printf(" skmem:(r%d,rb%d,t%d,tb%d,f%d,w%d,o%d,bl%d,d%d)", b.Read, b.ReadLimit, b.Transmit, b.WriteLimit, b.Forward,
			b.Write, b.Options, b.Backlog, b.Drops)
	case m != nil:
		s.table.printf(" mem:(r%d,w%d,f%d,t%d)", m.Read, m.Write, m.Forward, m.Transmit)
	}
}

// users are the processes that have a socket open, as ss prints them: the last one first.
func (s *ss) users(inode uint32) string {
	if inode == 0 {
		return ""
	}
	list := s.owners()[inode]
	texts := make([]string, 0, len(list))
	for _, o := range slices.Backward(list) {
		thread := ""
		if s.opt.threads {
			thread = "tid=" + strconv.Itoa(o.TID) + ","
		}
		texts = append(texts, "(\""+o.Name+"\",pid="+strconv.Itoa(o.PID)+","+thread+"fd="+strconv.Itoa(o.FD)+")")
	}
	return strings.Join(texts, ",")
}

// owners finds the processes of all sockets, once.
func (s *ss) owners() sockdiag.Owners {
	if s.owned == nil {
		owned, err := sockdiag.FindOwners(s.ctx, s.opt.threads)
		if err != nil {
			fail(exitFailed, "%v", err)
		}
		s.owned = owned
	}
	return s.owned
}
