package netns

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/state"
)

// A HolderKind says by what a namespace is kept alive.
type HolderKind int

// Kinds of holders.
const (
	HoldsAsProcess HolderKind = iota // the process is in it
	HoldsAsThread                    // one of its threads is in it, the process is not
	HoldsAsFile                      // it has the namespace open
	HoldsAsSocket                    // it has a socket that was made inside
	HoldsAsMount                     // the namespace is mounted on a file
)

// String is the kind in a word.
func (k HolderKind) String() string {
	switch k {
	case HoldsAsProcess:
		return "process"
	case HoldsAsThread:
		return "thread"
	case HoldsAsFile:
		return "file"
	case HoldsAsSocket:
		return "socket"
	case HoldsAsMount:
		return "mount"
	default:
		panic(fmt.Sprintf("holder kind %d", int(k)))
	}
}

// A Holder keeps a namespace alive.
type Holder struct {
	Kind HolderKind
	// Process is who holds it. For a mount it is one of the processes that see the mount (the caller when it does).
	Process state.Process
	TID     int    // of a thread
	FD      int    // of a file or socket
	Path    string // of a mount, as that process sees it
}

// Holders finds what keeps the namespace alive, the handle itself left out: processes, single threads, open files,
// sockets and mounts. It walks over /proc once. What the caller may not look into is left out: complete for root.
func Holders(ctx context.Context, h *Handle) ([]Holder, error) {
	pids, err := numbers("/proc")
	if err != nil {
		return nil, opError("find holders of", h.ref, err)
	}
	w := walk{h: h, self: os.Getpid(), mountNS: map[uint64]bool{}}
	w.mounts("thread-self", w.self)
	for _, pid := range pids {
		if err := context.Cause(ctx); err != nil {
			return w.list, opError("find holders of", h.ref, err)
		}
		w.process(pid)
	}
	return w.list, nil
}

type walk struct {
	h       *Handle
	self    int
	mountNS map[uint64]bool // seen
	list    []Holder
}

func (w *walk) process(pid int) {
	inside := false
	tids, err := numbers(taskDir(pid))
	if err != nil {
		return // gone
	}
	for _, tid := range tids {
		if ino, ok := linkInode(taskPath(pid, tid)+"/ns/net", "net:["); !ok || ino != w.h.inode {
			continue
		}
		if tid == pid {
			inside = true
			w.add(Holder{Kind: HoldsAsProcess}, pid)
		} else if !inside {
			w.add(Holder{Kind: HoldsAsThread, TID: tid}, pid)
		}
	}
	w.files(pid)
	if ino, ok := linkInode("/proc/"+strconv.Itoa(pid)+"/ns/mnt", "mnt:["); ok && !w.mountNS[ino] {
		w.mountNS[ino] = true
		w.mounts(strconv.Itoa(pid), pid)
	}
}

func (w *walk) mounts(process string, pid int) {
	if ino, ok := linkInode("/proc/"+process+"/ns/mnt", "mnt:["); ok {
		w.mountNS[ino] = true
	}
	list, err := nsMounts(process)
	if err != nil {
		return // gone, or not ours to see
	}
	for _, m := range list {
		if m.inode == w.h.inode {
			w.add(Holder{Kind: HoldsAsMount, Path: m.path}, pid)
		}
	}
}

// files looks at what a process has open. A socket does not show its namespace: a copy of it is asked (pidfd_getfd(2),
// Linux 5.6).
func (w *walk) files(pid int) {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	fds, err := numbers(dir)
	if err != nil {
		return // gone, or not ours to see
	}
	pidfd := -1
	defer func() {
		if pidfd >= 0 {
			unix.Close(pidfd)
		}
	}()
	var buf [64]byte
	for _, fd := range fds {
		n, err := unix.Readlink(dir+"/"+strconv.Itoa(fd), buf[:])
		if err != nil {
			continue
		}
		switch target := buf[:n]; {
		case pid == w.self && fd == w.h.FD():
		case bytes.HasPrefix(target, []byte("net:[")):
			if ino, ok := parseInode(string(target), "net:["); ok && ino == w.h.inode {
				w.add(Holder{Kind: HoldsAsFile, FD: fd}, pid)
			}
		case bytes.HasPrefix(target, []byte("/")) && w.isNamespace(dir+"/"+strconv.Itoa(fd)):
			w.add(Holder{Kind: HoldsAsFile, FD: fd}, pid)
		case bytes.HasPrefix(target, []byte("socket:[")) && w.h.cookie != 0:
			if pidfd < 0 {
				if pidfd, err = unix.PidfdOpen(pid, 0); err != nil {
					return
				}
			}
			if socketOf(pidfd, fd) == w.h.cookie {
				w.add(Holder{Kind: HoldsAsSocket, FD: fd}, pid)
			}
		}
	}
}

// isNamespace asks for the file itself: one that was opened by a name shows the name, as long as there is one.
func (w *walk) isNamespace(path string) bool {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, unix.AT_STATX_DONT_SYNC, unix.STATX_INO, &st)
	return err == nil && st.Ino == w.h.inode && unix.Mkdev(st.Dev_major, st.Dev_minor) == w.h.dev
}

// socketOf is the cookie of the namespace of another process's socket, 0 = not to be known.
func socketOf(pidfd, fd int) uint64 {
	s, err := unix.PidfdGetfd(pidfd, fd, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(s)
	return socketCookie(s)
}

func (w *walk) add(h Holder, pid int) {
	h.Process = describe(pid)
	w.list = append(w.list, h)
}

// Processes returns the processes in each of the namespaces, those with just one thread inside included, by ascending
// PID: one walk over /proc for all of them. What the caller may not look into is left out: complete for root.
func Processes(ctx context.Context, handles []*Handle) ([][]state.Process, error) {
	place := make(map[uint64][]int, len(handles)) // a namespace may be asked for twice
	for i, h := range handles {
		place[h.inode] = append(place[h.inode], i)
	}
	list := make([][]state.Process, len(handles))
	err := eachTask(func(pid, tid int) (bool, error) {
		if err := context.Cause(ctx); err != nil {
			return true, err
		}
		ino, ok := linkInode(taskPath(pid, tid)+"/ns/net", "net:[")
		if !ok {
			return false, nil
		}
		for _, i := range place[ino] {
			if n := len(list[i]); n == 0 || list[i][n-1].PID != pid {
				list[i] = append(list[i], describe(pid))
			}
		}
		return false, nil
	})
	if err != nil {
		return list, opError("find processes of", "", err)
	}
	return list, nil
}

// Inhabited opens those namespaces, given by their inodes and cookies, that a process or a thread is in: names are not needed.
// An inode alone is not enough: the kernel gives it to the next namespace.
func Inhabited(ctx context.Context, cookies map[uint64]uint64) ([]*Handle, error) {
	var list []*Handle
	done := map[uint64]bool{}
	err := eachTask(func(pid, tid int) (bool, error) {
		if err := context.Cause(ctx); err != nil {
			return true, err
		}
		path := taskPath(pid, tid) + "/ns/net"
		ino, ok := linkInode(path, "net:[")
		if cookie := cookies[ino]; !ok || cookie == 0 || done[ino] {
			return false, nil
		}
		h, err := openFile(path, path)
		if err != nil {
			return false, nil // the process has ended, or is none of ours
		}
		if h.cookie != cookies[h.inode] {
			return false, h.Close()
		}
		done[ino] = true
		list = append(list, h)
		return false, nil
	})
	if err != nil {
		return list, opError("find processes of", "", err)
	}
	return list, nil
}

// describe says what process a number is; what is unknown, because it has just ended, stays empty.
func describe(pid int) state.Process {
	p := state.Process{PID: pid}
	dir := "/proc/" + strconv.Itoa(pid)
	var st unix.Stat_t
	if unix.Stat(dir, &st) == nil {
		p.UID = st.Uid
	}
	if b, err := os.ReadFile(dir + "/cmdline"); err == nil && len(b) > 0 {
		p.Command = strings.ReplaceAll(strings.TrimRight(string(b), "\x00"), "\x00", " ")
	} else if b, err := os.ReadFile(dir + "/comm"); err == nil {
		p.Command = "[" + strings.TrimSpace(string(b)) + "]"
	}
	return p
}
