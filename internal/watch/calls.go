package watch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"

	"warren/state"
)

// A Call is a system call that took a thread to another network namespace.
type Call struct {
	Number uint64 // SYS_UNSHARE, SYS_SETNS, SYS_CLONE or SYS_CLONE3
	PID    int    // in our own PID namespace; 0 = it is not to be seen from there
	TID    int
	UID    uint32
	From   uint64 // cookie of the namespace before: with clone that of the parent
	To     uint64 // cookie
	Inode  uint32 // of the namespace it is in now
	Thread string // the thread's name (comm)
}

// record is how the program tells it.
const recordSize = 72

// Calls watches the system calls.
type Calls struct {
	maps     []*ebpf.Map
	programs []*ebpf.Program
	links    []link.Link
	reader   *ringbuf.Reader
}

// OpenCalls attaches the programs. The error says why it cannot: it is no reason not to watch.
func OpenCalls() (*Calls, error) {
	c := &Calls{}
	if err := c.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("watch who makes and enters namespaces: %w", err), c.Close())
	}
	return c, nil
}

func (c *Calls) open() error {
	o, err := findOffsets()
	if err != nil {
		return err
	}
	pidNS, err := ownPIDNS()
	if err != nil {
		return err
	}
	// Threads are few that are inside of one of the calls at a time.
	before, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.LRUHash, KeySize: 8, ValueSize: 8, MaxEntries: 4096})
	if err != nil {
		return err
	}
	c.maps = append(c.maps, before)
	ring, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.RingBuf, MaxEntries: 1 << 20})
	if err != nil {
		return err
	}
	c.maps = append(c.maps, ring)
	for name, spec := range map[string]*ebpf.ProgramSpec{"sys_enter": enterProgram(o, before.FD()), "sys_exit": exitProgram(o, before.FD(), ring.FD(), pidNS)} {
		p, err := ebpf.NewProgram(spec)
		if err != nil {
			return err
		}
		c.programs = append(c.programs, p)
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: name, Program: p})
		if err != nil {
			return err
		}
		c.links = append(c.links, l)
	}
	c.reader, err = ringbuf.NewReader(ring)
	return err
}

// ownPIDNS is the inode of our PID namespace.
func ownPIDNS() (uint32, error) {
	text, err := os.Readlink("/proc/thread-self/ns/pid")
	if err != nil {
		return 0, err
	}
	var n uint32
	_, err = fmt.Sscanf(text, "pid:[%d]", &n)
	return n, err
}

// Receive waits for the next call. Close ends it with an error.
func (c *Calls) Receive() (Call, error) {
	r, err := c.reader.Read()
	if err != nil {
		return Call{}, err
	}
	return decodeCall(r.RawSample)
}

var errShort = errors.New("the program's record is too short")

func decodeCall(b []byte) (Call, error) {
	if len(b) < recordSize {
		return Call{}, errShort
	}
	u64 := binary.NativeEndian.Uint64
	name, _, _ := bytes.Cut(b[56:72], []byte{0})
	return Call{
		Number: u64(b), PID: int(u64(b[8:])), TID: int(u64(b[16:])), UID: uint32(u64(b[24:])),
		From: u64(b[32:]), To: u64(b[40:]), Inode: uint32(u64(b[48:])), Thread: string(name),
	}, nil
}

// Close detaches the programs.
func (c *Calls) Close() error {
	var errs []error
	if c.reader != nil {
		errs = append(errs, c.reader.Close())
	}
	for _, l := range c.links {
		errs = append(errs, l.Close())
	}
	for _, p := range c.programs {
		errs = append(errs, p.Close())
	}
	for _, m := range c.maps {
		errs = append(errs, m.Close())
	}
	c.reader, c.links, c.programs, c.maps = nil, nil, nil, nil
	return errors.Join(errs...)
}

// doer is the process that made a call.
func (c Call) doer() state.Process {
	p := describe(c.PID)
	if p.Command == "" {
		p.Command = c.Thread
	}
	p.UID = c.UID
	return p
}
