package iproute

import (
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/sockdiag"
)

// showUnix shows unix sockets.
func (s *ss) showUnix() {
	if !s.sel.has(unix.AF_UNIX) {
		return
	}
	req := sockdiag.UnixRequest{Statuses: s.sel.states, Show: sockdiag.UnixName | sockdiag.UnixPeer | sockdiag.UnixQueues}
	if s.opt.memory {
		req.Show |= sockdiag.UnixBuffers
	}
	if s.opt.extended {
		req.Show |= sockdiag.UnixVFS | sockdiag.UnixIcons
	}
	if s.opt.json {
		req.Show |= sockdiag.UnixUID
	}
	list, err := sockdiag.ReadUnix(s.ctx, s.sockets(), req)
	if err != nil {
		return // ss says nothing of tables that are not there
	}
	for i := range list {
		s.unixSocket(&list[i])
	}
}

func (s *ss) unixSocket(u *sockdiag.Unix) {
	kind, netid := unixKind(u.Type)
	if kind >= 0 && !s.sel.wants(1<<kind) {
		return
	}
	k := &ssSocket{
		family: unix.AF_UNIX, netid: netid, status: u.Status, recvQ: int32(u.ReadQueue), sendQ: int32(u.WriteQueue), inode: u.Inode,
		cookie: u.Cookie, unix: u,
		local:  ssEnd{name: u.Path(), port: int64(u.Inode), text: "*", delim: " ", place: strconv.FormatUint(uint64(u.Inode), 10)},
		remote: ssEnd{port: int64(u.Peer), text: "*", delim: " ", place: strconv.FormatUint(uint64(u.Peer), 10)},
	}
	if u.UID != nil {
		k.uid = *u.UID
	}
	if u.Name != "" {
		k.local.text = u.Path()
	}
	if !s.wanted(k) {
		return
	}
	if s.opt.json {
		s.addJSON(k)
		return
	}
	s.begin(k)
	t := s.table
	if s.opt.memory {
		s.buffers(u.Buffers, nil)
	}
	if !s.opt.extended {
		return
	}
	if u.Shutdown != nil {
		t.printf(" %s", shutdown(*u.Shutdown))
	}
	if u.VFS != nil {
		// The number is the kernel's own, 12 and 20 bits; ss takes it for one of the C library's, and so do we.
		d := u.VFS.Dev
		t.printf(" ino:%d dev:%d/%d", u.VFS.Inode, d>>8&0xfff, d&0xff|d>>20<<8)
	}
	if u.Wait != nil {
		t.printf(" peers:")
		for _, p := range u.Wait {
			t.printf(" %d", p)
		}
	}
}

// unixKind is the table that a type of unix sockets is in, -1 for one that is always shown.
func unixKind(typ uint8) (kind int, netid string) {
	switch typ {
	case unix.SOCK_STREAM:
		return int(kindUnixStream), "u_str"
	case unix.SOCK_SEQPACKET:
		return int(kindUnixSeqpacket), "u_seq"
	case unix.SOCK_DGRAM:
		return int(kindUnixDgram), "u_dgr"
	}
	return -1, "u_dgr"
}

// showVsock shows sockets between virtual machines and their host.
func (s *ss) showVsock() {
	if !s.sel.has(unix.AF_VSOCK) {
		return
	}
	list, err := sockdiag.ReadVsock(s.ctx, s.sockets(), s.sel.states)
	if err != nil {
		return
	}
	for _, v := range list {
		k := &ssSocket{
			family: unix.AF_VSOCK, netid: "???", status: v.Status, inode: v.Inode, cookie: v.Cookie,
			local: vsockEnd(v.Context, v.Port), remote: vsockEnd(v.PeerContext, v.PeerPort),
		}
		switch v.Type {
		case unix.SOCK_STREAM:
			if !s.sel.wants(1 << kindVsockStream) {
				continue
			}
			k.netid = "v_str"
		case unix.SOCK_DGRAM:
			if !s.sel.wants(1 << kindVsockDgram) {
				continue
			}
			k.netid = "v_dgr"
		}
		switch {
		case !s.wanted(k):
		case s.opt.json:
			s.addJSON(k)
		default:
			s.begin(k)
		}
	}
}

func vsockEnd(context, port uint32) ssEnd {
	word := func(v uint32) string {
		if v == sockdiag.VsockAny {
			return "*"
		}
		return strconv.FormatUint(uint64(v), 10)
	}
	return ssEnd{addr: native.AppendUint32(nil, context), port: int64(int32(port)), text: word(context), delim: ":", place: word(port)}
}
