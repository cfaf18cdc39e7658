package netns

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"warren/state"
)

// siocgSKNS is SIOCGSKNS (linux/sockios.h, Linux 4.9): the namespace of a socket or of a tun device's descriptor.
const siocgSKNS = 0x894c

// files looks at what a process has open: namespaces, sockets that were made elsewhere, tun devices. in is where the process
// itself is, or nil.
//
// A socket does not show its namespace: a copy of it is asked (pidfd_getfd(2), Linux 5.6). Sockets that were made in the
// namespace of their process keep nothing alive that the process would not, so they are no holders.
func (s *survey) files(pid int, in *Found) {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	d, err := os.Open(dir)
	if err != nil {
		s.miss(dir, cause(err))
		return
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		s.miss(dir, cause(err))
		return
	}
	p := peek{pid: pid, fd: -1}
	defer p.close()
	var buf [64]byte
	for _, name := range names {
		n, err := unix.Readlinkat(int(d.Fd()), name, buf[:])
		if err != nil {
			continue
		}
		fd, err := strconv.Atoi(name)
		if err != nil || pid == s.self && (s.own[fd] || fd == int(d.Fd())) {
			continue
		}
		switch target := buf[:n]; {
		case bytes.HasPrefix(target, []byte("socket:[")):
			err = s.socket(&p, fd, string(target), in)
		case bytes.HasPrefix(target, []byte("net:[")):
			if ino, ok := parseInode(string(target), "net:["); ok {
				s.holds(s.at(ino, dir+"/"+name), "file", pid, fd)
			}
		case string(target) == "/dev/net/tun":
			err = s.tun(&p, fd)
		case bytes.HasPrefix(target, []byte("/")):
			// One that was opened by a name shows the name.
			s.named(int(d.Fd()), dir, name, pid, fd)
		}
		if err != nil && !p.told {
			p.told = true
			s.miss(fmt.Sprintf("sockets of process %d", pid), err)
		}
	}
}

// named looks whether an open file is a namespace. Statx without a synchronisation, so that no server of a file system is
// waited for.
func (s *survey) named(dirfd int, dir, name string, pid, fd int) {
	var st unix.Statx_t
	err := unix.Statx(dirfd, name, unix.AT_STATX_DONT_SYNC, unix.STATX_INO, &st)
	if err != nil || len(s.list) == 0 || s.list[0].Handle == nil {
		return
	}
	if unix.Mkdev(st.Dev_major, st.Dev_minor) != s.list[0].Handle.dev {
		return // not on the file system of namespaces
	}
	path := dir + "/" + name
	if f := s.byInode[st.Ino]; f != nil {
		s.holds(f, "file", pid, fd)
		return
	}
	// Another kind of namespace, or a network namespace that is new.
	if h, err := openFile(path, path); err == nil {
		s.holds(s.add(h, ""), "file", pid, fd)
	}
}

func (s *survey) holds(f *Found, kind string, pid, fd int) {
	if f != nil && s.opt.Holders {
		if s.name.pid != pid {
			s.name.pid, s.name.comm = pid, comm(pid)
		}
		f.Holders = append(f.Holders, state.Holder{Kind: kind, PID: pid, FD: fd, Command: s.name.comm})
	}
}

// A peek copies descriptors of a process.
type peek struct {
	pid, fd int
	told    bool // an error was told
}

func (p *peek) close() {
	if p.fd >= 0 {
		unix.Close(p.fd)
	}
}

// copy returns -1 without an error for what has gone.
func (p *peek) copy(fd int) (int, error) {
	if p.fd < 0 {
		pidfd, err := unix.PidfdOpen(p.pid, 0)
		if err != nil {
			return -1, gone(err)
		}
		p.fd = pidfd
	}
	c, err := unix.PidfdGetfd(p.fd, fd, 0)
	if err != nil {
		return -1, gone(err)
	}
	return c, nil
}

// gone makes no error of what has ended meanwhile.
func gone(err error) error {
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EBADF) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	return err
}

func (s *survey) socket(p *peek, fd int, target string, in *Found) error {
	ino, _ := parseInode(target, "socket:[")
	if m := s.opt.Sockets; m != nil && ino != 0 {
		if _, ok := m[uint32(ino)]; !ok {
			m[uint32(ino)] = p.pid
		}
	}
	cookie, ok := s.sockets[ino]
	if ok {
		if f := s.byCookie[cookie]; f != nil {
			if f != in {
				s.holds(f, "socket", p.pid, fd)
			}
			return nil
		}
	}
	c, err := p.copy(fd)
	if err != nil || c < 0 {
		return err
	}
	defer unix.Close(c)
	cookie = socketCookie(c)
	if ino != 0 {
		s.sockets[ino] = cookie
	}
	f := s.byCookie[cookie]
	if f == nil {
		if f, err = s.behind(c, fmt.Sprintf("socket %d of process %d", fd, p.pid)); err != nil || f == nil {
			return err
		}
	}
	if f != in {
		s.holds(f, "socket", p.pid, fd)
	}
	return nil
}

// tun asks where a tun device's descriptor was opened.
func (s *survey) tun(p *peek, fd int) error {
	c, err := p.copy(fd)
	if err != nil || c < 0 {
		return err
	}
	defer unix.Close(c)
	f, err := s.behind(c, fmt.Sprintf("tun device %d of process %d", fd, p.pid))
	if err == nil && f != nil {
		s.holds(f, "tun", p.pid, fd)
	}
	return err
}

// behind opens the namespace of a socket or tun descriptor.
func (s *survey) behind(fd int, ref string) (*Found, error) {
	ns, err := unix.IoctlRetInt(fd, siocgSKNS)
	if err != nil {
		return nil, err
	}
	h, err := newHandle(ns, ref)
	if err != nil {
		return nil, err
	}
	return s.add(h, ref), nil
}
