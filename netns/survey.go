package netns

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"warren/state"
)

// SurveyOptions say what a [Survey] tells beside which namespaces there are.
type SurveyOptions struct {
	// Dir holds the named namespaces; "" = [Dir].
	Dir string
	// Processes tells who lives in them; Holders, what keeps them alive. Both are read in the same walk.
	Processes, Holders bool
	// Sockets, when it is not nil, is filled with who has sockets open: inode of the socket -> number of the first process.
	Sockets map[uint32]int
}

// A Found is one namespace that a survey found.
type Found struct {
	// Handle is open, and the caller's to close; nil when the namespace could not be opened, for the reason in Err.
	Handle *Handle
	Err    error
	Inode  uint64
	Cookie uint64 // 0 = not known
	// Self: it is the namespace that this program runs in. Init: it is that of process 1, as far as one may look.
	Self, Init bool
	// Names are those below the directory of names, Paths all mount points in our mount namespace; both sorted.
	Names, Paths []string
	Processes    []state.Process
	Holders      []state.Holder
	// Created is when the oldest thing came by which it is known: its mount or its first process. Zero = not known.
	Created time.Time
	// UserNS is the inode of the user namespace that owns it; 0 = not to be known.
	UserNS uint64
}

// Survey finds every network namespace of the host that can be found from outside of the kernel: in one walk over /proc
// those of processes and of single threads, of open files, of sockets and tun devices that processes hold, and of mounts in
// any mount namespace. What ends or goes away meanwhile was not there; what may not be looked at is in the second result,
// by name. The list is in the order of discovery: the caller's own namespace, mounts, then processes by number.
//
// It needs to be root to be complete, and Linux 5.6 (pidfd_getfd(2)) for sockets.
func Survey(ctx context.Context, o SurveyOptions) ([]*Found, []state.Unread, error) {
	if o.Dir == "" {
		o.Dir = Dir
	}
	s := &survey{
		ctx: ctx, opt: o, self: os.Getpid(), byInode: map[uint64]*Found{}, byCookie: map[uint64]*Found{},
		mountNS: map[uint64]bool{}, own: map[int]bool{}, sockets: map[uint64]uint64{}, users: map[uint32]string{},
	}
	if err := s.run(); err != nil {
		for _, f := range s.list {
			if f.Handle != nil {
				_ = f.Handle.Close()
			}
		}
		return nil, nil, opError("find", "", err)
	}
	return s.list, s.unread, nil
}

// A survey is one walk.
type survey struct {
	ctx      context.Context
	opt      SurveyOptions
	self     int
	list     []*Found
	byInode  map[uint64]*Found
	byCookie map[uint64]*Found
	unread   []state.Unread

	mountNS map[uint64]bool   // mount namespaces that were looked at
	groups  map[uint64]bool   // peer groups of mounts that were seen, see mounts
	own     map[int]bool      // descriptors that this walk has open
	sockets map[uint64]uint64 // inode of a socket -> cookie of its namespace
	users   map[uint32]string
	boot    time.Time
	name    struct { // of the last process that was named
		pid  int
		comm string
	}
}

func (s *survey) run() error {
	h, err := Current()
	if err != nil {
		return err
	}
	s.add(h, "").Self = true
	s.boot = bootTime()
	s.groups = map[uint64]bool{}
	s.mounts("thread-self", 0)
	s.links()
	pids, err := numbers("/proc")
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if err := context.Cause(s.ctx); err != nil {
			return err
		}
		s.process(pid)
	}
	for _, f := range s.list {
		f.finish(s.opt.Dir)
	}
	return nil
}

// miss notes what may not be looked at. What is gone is not worth a word.
func (s *survey) miss(object string, err error) {
	if err == nil || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
		return
	}
	s.unread = append(s.unread, state.Unread{Object: object, Reason: err.Error()})
}

// at returns the namespace of an inode, which path leads to. It is opened when it is new: while it is open its inode
// is not used again. Nil when there is none any more.
func (s *survey) at(inode uint64, path string) *Found {
	f := s.byInode[inode]
	if f != nil && (f.Handle != nil || path == "") {
		return f
	}
	h, err := openFile(path, path)
	if err == nil {
		if f != nil { // another path leads there
			f.Handle, f.Err = h, nil
			s.opened(f)
			return f
		}
		return s.add(h, "")
	}
	if errors.Is(err, ErrNotExist) {
		return nil // gone
	}
	if f == nil {
		f = &Found{Inode: inode, Err: err}
		s.byInode[inode] = f
		s.list = append(s.list, f)
	}
	return f
}

// add takes a handle over.
func (s *survey) add(h *Handle, ref string) *Found {
	if f := s.byInode[h.inode]; f != nil {
		if f.Handle == nil {
			f.Handle, f.Err = h, nil
			s.opened(f)
		} else {
			_ = h.Close()
		}
		return f
	}
	if ref != "" {
		h.ref = ref
	}
	f := &Found{Handle: h, Inode: h.inode}
	s.byInode[h.inode] = f
	s.list = append(s.list, f)
	s.opened(f)
	return f
}

func (s *survey) opened(f *Found) {
	s.own[f.Handle.FD()] = true
	if f.Handle.cookie != 0 {
		s.byCookie[f.Handle.cookie] = f
		f.Cookie = f.Handle.cookie
	}
	f.UserNS = userNS(f.Handle.FD())
}

// nsGetUserNS is NS_GET_USERNS (linux/nsfs.h, Linux 4.9).
const nsGetUserNS = 0xb701

// userNS is the inode of the user namespace that owns a namespace, 0 when it may not be looked at.
func userNS(fd int) uint64 {
	u, err := unix.IoctlRetInt(fd, nsGetUserNS)
	if err != nil {
		return 0
	}
	defer unix.Close(u)
	var st unix.Stat_t
	if unix.Fstat(u, &st) != nil {
		return 0
	}
	return st.Ino
}

// finish puts what was found in order.
func (f *Found) finish(dir string) {
	slices.Sort(f.Paths)
	f.Paths = slices.Compact(f.Paths)
	prefix := strings.TrimSuffix(dir, "/") + "/"
	for _, p := range f.Paths {
		if name, ok := strings.CutPrefix(p, prefix); ok && !strings.Contains(name, "/") {
			f.Names = append(f.Names, name)
		}
	}
	f.sortNames()
	if f.Handle != nil && len(f.Names) > 0 {
		f.Handle.name = f.Names[0]
	}
	slices.SortStableFunc(f.Holders, func(a, b state.Holder) int {
		return cmp.Or(cmp.Compare(holderOrder(a.Kind), holderOrder(b.Kind)), cmp.Compare(a.PID, b.PID), cmp.Compare(a.TID, b.TID),
			cmp.Compare(a.FD, b.FD), strings.Compare(a.Path, b.Path))
	})
	if f.Handle == nil || len(f.Paths) == 0 {
		return
	}
	// A mount keeps the namespace's inode in memory since it was mounted; else it may be as young as this walk.
	var st unix.Stat_t
	if unix.Fstat(f.Handle.FD(), &st) == nil {
		f.older(time.Unix(st.Ctim.Unix()))
	}
}

func (f *Found) older(t time.Time) {
	if !t.IsZero() && (f.Created.IsZero() || t.Before(f.Created)) {
		f.Created = t
	}
}

func holderOrder(kind string) int {
	return slices.Index([]string{"process", "thread", "mount", "file", "socket", "tun", "kernel"}, kind)
}

// OpenID opens a namespace that nothing visible leads to, by its id (on Linux 6.18 the cookie) and its inode:
// open_by_handle_at(2) on the namespaces' own file system. Linux 6.18; older ones say ErrNotNamespace.
func OpenID(id, inode uint64) (*Handle, error) {
	const (
		fdNSFSRoot  = -10003 // FD_NSFS_ROOT (linux/fcntl.h)
		handleType  = 0xf1   // FILEID_NSFS
		handleBytes = 16     // struct nsfs_file_handle
	)
	var b struct {
		bytes, typ uint32
		id         uint64
		nsType     uint32
		inum       uint32
	}
	b.bytes, b.typ, b.id, b.nsType, b.inum = handleBytes, handleType, id, unix.CLONE_NEWNET, uint32(inode)
	root := fdNSFSRoot
	fd, _, errno := unix.Syscall(unix.SYS_OPEN_BY_HANDLE_AT, uintptr(root), uintptr(unsafe.Pointer(&b)), unix.O_RDONLY|unix.O_CLOEXEC)
	if errno != 0 {
		e := &OpError{Op: "open", Object: "hidden namespace", Err: errno}
		if errors.Is(errno, unix.ESTALE) {
			e.Kind = ErrNotExist
		}
		return nil, e
	}
	return newHandle(int(fd), "hidden namespace")
}

// Close gives the namespace up.
func (f *Found) Close() error {
	if f.Handle == nil {
		return nil
	}
	return f.Handle.Close()
}
