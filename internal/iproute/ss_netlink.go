package iproute

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/sockdiag"
)

// showNetlink shows netlink sockets.
func (s *ss) showNetlink() {
	if !s.sel.has(unix.AF_NETLINK) || !s.sel.states.Has(sockdiag.Close) {
		return
	}
	list, err := sockdiag.ReadNetlink(s.ctx, s.sockets())
	if err != nil {
		return
	}
	for i := range list {
		s.netlinkSocket(&list[i])
	}
}

func (s *ss) netlinkSocket(n *sockdiag.Netlink) {
	k := &ssSocket{
		family: unix.AF_NETLINK, netid: "nl", status: sockdiag.Close, netlink: n, cookie: n.Cookie,
		local:  ssEnd{addr: native.AppendUint32(nil, uint32(n.Protocol)), port: int64(int32(n.Port)), delim: ":"},
		remote: ssEnd{port: -1, delim: "*"},
	}
	if n.Buffers != nil {
		k.recvQ, k.sendQ = int32(n.Buffers.Read), int32(n.Buffers.Transmit)
	}
	if !s.wanted(k) {
		return
	}
	k.local.text = s.netlinkProtocol(n.Protocol)
	k.local.place = s.netlinkPort(int32(n.Port))
	if n.State == sockdiag.NetlinkConnected {
		k.remote.text, k.remote.delim = strconv.Itoa(int(int32(n.PeerGroup))), ":"
		k.remote.place = strconv.Itoa(int(int32(n.PeerPort)))
	}
	if s.opt.json {
		k.inode = n.Inode
		s.addJSON(k)
		return
	}
	s.begin(k)
	if s.opt.extended {
		var groups uint64
		if len(n.Groups) >= 8 {
			groups = native.Uint64(n.Groups)
		} else if len(n.Groups) >= 4 {
			groups = uint64(native.Uint32(n.Groups))
		}
		s.table.printf(" sk=0 cb=0 groups=0x%08x", uint32(groups))
	}
	if s.opt.memory {
		s.table.printf("\t")
		s.buffers(n.Buffers, nil)
	}
}

// netlinkPort is who has the port: the kernel, or most often the process of that number.
func (s *ss) netlinkPort(port int32) string {
	number := strconv.Itoa(int(port))
	switch {
	case port == -1:
		return "*"
	case s.opt.numeric || port < 0:
		return number
	case port == 0:
		return "kernel"
	}
	b, err := os.ReadFile("/proc/" + number + "/stat")
	if err != nil {
		return number
	}
	_, rest, _ := bytes.Cut(b, []byte("("))
	name, _, ok := bytes.Cut(rest, []byte(")"))
	if !ok || len(name) == 0 {
		return number
	}
	return string(name) + "/" + number
}

// netlinkProtocols are the names that iproute2 has for them (nl_protos).
func netlinkProtocols() map[uint8]string {
	return map[uint8]string{
		0: "rtnl", 1: "unused", 2: "usersock", 3: "fw", 4: "tcpdiag", 5: "nflog", 6: "xfrm", 7: "selinux", 8: "iscsi", 9: "audit",
		10: "fiblookup", 11: "connector", 12: "nft", 13: "ip6fw", 14: "dec-rt", 15: "uevent", 16: "genl", 18: "scsi-trans", 19: "ecryptfs",
		20: "rdma", 21: "crypto",
	}
}

func (s *ss) netlinkProtocol(p uint8) string {
	if name, ok := netlinkProtocols()[p]; ok && !s.opt.numeric {
		return name
	}
	return strconv.Itoa(int(p))
}

func netlinkProtocolWord(word string) (uint8, bool) {
	for p, name := range netlinkProtocols() {
		if name == word {
			return p, true
		}
	}
	n, ok := parseUint(word, 0, 8)
	return uint8(n), ok
}
