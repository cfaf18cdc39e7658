package sockdiag

import (
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// A UnixRequest asks for unix sockets (struct unix_diag_req).
type UnixRequest struct {
	Statuses Statuses
	Inode    uint32 // 0 = all
	Show     UnixDetails
}

// UnixDetails says what to tell of a unix socket.
type UnixDetails uint32

// The details (UDIAG_SHOW_*).
const (
	UnixName UnixDetails = 1 << iota
	UnixVFS
	UnixPeer
	UnixIcons
	UnixQueues
	UnixBuffers
	UnixUID // Linux 5.3
)

// Request is the message of a dump.
func (r UnixRequest) Request() nl.Request {
	b := []byte{unix.AF_UNIX, 0, 0, 0}
	b = native.AppendUint32(b, uint32(r.Statuses))
	b = native.AppendUint32(b, r.Inode)
	b = native.AppendUint32(b, uint32(r.Show))
	return nl.Request{Type: byFamily, Data: appendCookie(b, cookieNone)}
}

// A VFS is the file that a unix socket is bound to.
type VFS struct{ Inode, Dev uint32 }

// Major and Minor take the kernel's number of a device apart: 12 and 20 bits.
func (v VFS) Major() uint32 { return v.Dev >> 20 }

// Minor is the other part.
func (v VFS) Minor() uint32 { return v.Dev & (1<<20 - 1) }

// A Unix is a unix socket (struct unix_diag_msg and its attributes).
type Unix struct {
	Type   uint8 // unix.SOCK_STREAM, unix.SOCK_DGRAM or unix.SOCK_SEQPACKET
	Status Status
	Inode  uint32
	Cookie uint64
	// Name is as in struct sockaddr_un, an abstract one with its leading zero; "" = not bound.
	Name string
	VFS  *VFS
	Peer uint32   // inode, 0 = none
	Wait []uint32 // of a listener: inodes of those that wait, 0 for one that nobody has open; nil = not told
	// Of a listener: how many wait, and how many may. Else bytes.
	ReadQueue, WriteQueue uint32
	Buffers               *Buffers
	Shutdown              *uint8
	UID                   *uint32
}

// Attributes (enum in linux/unix_diag.h).
const (
	unixName = iota
	unixVFS
	unixPeer
	unixIcons
	unixQueues
	unixBuffers
	unixShutdown
	unixUID
)

const unixLen = 16

// DecodeUnix reads the data of a reply.
func DecodeUnix(data []byte) (Unix, error) {
	if len(data) < unixLen {
		return Unix{}, short("unix socket", len(data), unixLen)
	}
	a := rtnl.ParseAttrs(data[unixLen:])
	s := Unix{
		Type: data[1], Status: Status(data[2]), Inode: native.Uint32(data[4:]), Cookie: cookie(data[8:]),
		Name: string(a.Bytes(unixName)), Peer: a.U32(unixPeer),
		Buffers: decodeBuffers(a, unixBuffers), Shutdown: optU8(a, unixShutdown), UID: optU32(a, unixUID),
	}
	if b := a.Bytes(unixVFS); len(b) >= 8 {
		s.VFS = &VFS{native.Uint32(b), native.Uint32(b[4:])}
	}
	if a.Has(unixIcons) {
		s.Wait = numbers(a.Bytes(unixIcons))
	}
	if b := a.Bytes(unixQueues); len(b) >= 8 {
		s.ReadQueue, s.WriteQueue = native.Uint32(b), native.Uint32(b[4:])
	}
	return s, nil
}

// Encode is the inverse of [DecodeUnix].
func (s *Unix) Encode() []byte {
	b := []byte{unix.AF_UNIX, s.Type, uint8(s.Status), 0}
	b = native.AppendUint32(b, s.Inode)
	e := encoder{appendCookie(b, s.Cookie)}
	if s.Name != "" {
		e.bytes(unixName, []byte(s.Name))
	}
	if s.VFS != nil {
		e.words(unixVFS, s.VFS.Inode, s.VFS.Dev)
	}
	if s.Peer != 0 {
		e.u32(unixPeer, s.Peer)
	}
	if s.Wait != nil {
		e.words(unixIcons, s.Wait...)
	}
	if s.ReadQueue != 0 || s.WriteQueue != 0 {
		e.words(unixQueues, s.ReadQueue, s.WriteQueue)
	}
	s.Buffers.encode(&e, unixBuffers)
	e.u8p(unixShutdown, s.Shutdown)
	e.u32p(unixUID, s.UID)
	return e.b
}

// Path is the name as people write it: every zero of an abstract one as "@".
func (s *Unix) Path() string {
	if strings.HasPrefix(s.Name, "\x00") {
		return strings.ReplaceAll(s.Name, "\x00", "@")
	}
	name, _, _ := strings.Cut(s.Name, "\x00")
	return name
}
