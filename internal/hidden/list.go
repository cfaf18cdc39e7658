package hidden

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// An Entry is one network namespace.
type Entry struct {
	Cookie uint64 // its identity, and since Linux 6.18 its id
	Inode  uint64
}

// ErrChanged says that the list could not be followed to its end, because namespaces went meanwhile.
var ErrChanged = errors.New("the list of namespaces changed during each attempt to read it")

// List returns all network namespaces of the machine, the caller's own first. Some that are just ending may be among them.
func List() ([]Entry, error) {
	o, err := findOffsets()
	if err != nil {
		return nil, fmt.Errorf("find the kernel's list of namespaces: %w", err)
	}
	p, err := ebpf.NewProgram(program(o))
	if err != nil {
		return nil, fmt.Errorf("load the program that lists namespaces: %w", err)
	}
	defer p.Close()
	const attempts = 5
	for range attempts {
		list, complete, err := walk(p)
		if err != nil {
			return nil, fmt.Errorf("list namespaces: %w", err)
		}
		if complete {
			return list, nil
		}
	}
	return nil, ErrChanged
}

// walk follows the list once, from the caller's own namespace on until it comes back to it.
func walk(p *ebpf.Program) (list []Entry, complete bool, err error) {
	const most = 1 << 20 / batch // calls: an end, should the memory that is followed be something else by now
	u64 := binary.NativeEndian.Uint64
	b := make([]byte, contextSize)
	seen := map[uint64]bool{}
	for range most {
		binary.NativeEndian.PutUint64(b[atCount:], 0)
		failed, err := p.Run(&ebpf.RunOptions{Context: b, ContextOut: b})
		if err != nil {
			return nil, false, err
		}
		for i := range min(u64(b[atCount:]), batch) {
			e := b[atList+i*each:]
			// The list's head has no namespace around it.
			if ops, cookie := u64(e), u64(e[8:]); ops == u64(b[atOps:]) && cookie != 0 && !seen[cookie] {
				seen[cookie] = true
				list = append(list, Entry{Cookie: cookie, Inode: u64(e[16:])})
			}
		}
		switch {
		case failed != 0:
			return nil, false, nil
		case u64(b[atCursor:]) == 0:
			return list, true, nil
		}
	}
	return nil, false, nil
}
