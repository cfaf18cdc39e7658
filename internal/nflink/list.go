package nflink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// A Link is one program at a hook.
type Link struct {
	ID       uint32
	Program  uint32
	Name     string // of the program
	Family   string // "ip" or "ip6"
	Hook     string // "prerouting", "input", "forward", "output", "postrouting"
	Priority int32
	Cookie   uint64 // of the namespace; 0 = it was not told
}

// List returns all such links of the machine. Without the right to ask (CAP_SYS_ADMIN), and on kernels that know no links,
// there are none. An error comes with links whose namespace could not be found.
func List() (list []Link, err error) {
	it := &link.Iterator{}
	defer it.Close()
	var find *finder
	defer func() { find.close() }()
	for it.Next() {
		info, failed := it.Link.Info()
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("read BPF link %d: %w", it.ID, failed))
			continue
		}
		n := info.Netfilter()
		if n == nil {
			continue
		}
		l := Link{ID: uint32(info.ID), Program: uint32(info.Program), Family: family(uint32(n.ProtocolFamily)), Hook: hook(uint32(n.Hook)), Priority: n.Priority}
		l.Name = programName(info.Program)
		if find == nil {
			var failed error
			if find, failed = newFinder(); failed != nil {
				err = errors.Join(err, failed)
			}
		}
		cookie, told, failed := find.namespace(it.Link, l.ID)
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("find the namespace of BPF link %d: %w", l.ID, failed))
		}
		if l.Cookie = cookie; told && cookie == 0 {
			continue // it is just ending, and its namespace with it
		}
		list = append(list, l)
	}
	if failed := it.Err(); failed != nil && !errors.Is(failed, os.ErrPermission) && !errors.Is(failed, ebpf.ErrNotSupported) {
		err = errors.Join(err, failed)
	}
	return list, err
}

func programName(id ebpf.ProgramID) string {
	p, err := ebpf.NewProgramFromID(id)
	if err != nil {
		return ""
	}
	defer p.Close()
	info, err := p.Info()
	if err != nil {
		return ""
	}
	return info.Name
}

// family names NFPROTO_*, hook NF_INET_* (linux/netfilter.h).
func family(n uint32) string {
	switch n {
	case 2:
		return "ip"
	case 10:
		return "ip6"
	}
	return fmt.Sprintf("family%d", n)
}

func hook(n uint32) string {
	names := [...]string{"prerouting", "input", "forward", "output", "postrouting"}
	if n < uint32(len(names)) {
		return names[n]
	}
	return fmt.Sprintf("hook%d", n)
}

// A finder reads the namespaces of links.
type finder struct{ program *ebpf.Program }

func newFinder() (*finder, error) {
	o, err := findOffsets()
	if err != nil {
		return nil, fmt.Errorf("find the kernel's BPF links: %w", err)
	}
	p, err := ebpf.NewProgram(program(o))
	if err != nil {
		return nil, fmt.Errorf("load the program that finds the namespaces of BPF links: %w", err)
	}
	return &finder{p}, nil
}

func (f *finder) close() {
	if f != nil {
		_ = f.program.Close()
	}
}

// namespace is the cookie of the namespace that a link is in, where the kernel told.
func (f *finder) namespace(l link.Link, id uint32) (cookie uint64, told bool, err error) {
	owner, ok := l.(interface{ FD() int })
	if f == nil || !ok {
		return 0, false, nil
	}
	b := make([]byte, contextSize)
	binary.NativeEndian.PutUint64(b[atFD:], uint64(owner.FD()))
	failed, err := f.program.Run(&ebpf.RunOptions{Context: b, ContextOut: b})
	if err != nil || failed != 0 || binary.NativeEndian.Uint64(b[atID:]) != uint64(id) {
		return 0, false, err
	}
	return binary.NativeEndian.Uint64(b[atCookie:]), true, nil
}
