package live

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"

	"warren/internal/kstruct"
)

// eyes see where packets of some flows are, and where they are dropped, on the whole host.
type eyes struct {
	ring, flows, skbs *ebpf.Map
	progs             []*ebpf.Program
	links             []link.Link // an attached link that nothing refers to is closed by the garbage collector
	reader            *ringbuf.Reader
	reasons           kstruct.DropReasons
}

// A record is a sighting as the program writes it.
type record struct {
	at       time.Duration // of the monotonic clock
	skb      uint64
	kind     int
	reason   uint32
	location uint64
	cookie   uint64
	link     string
	packet   []byte
}

// openEyes attaches the programs. The error says what is missing.
func openEyes() (*eyes, error) {
	e := &eyes{}
	if err := e.open(); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *eyes) open() error {
	f, err := kstruct.Load()
	if err != nil {
		return fmt.Errorf("%w (hint: the kernel needs CONFIG_DEBUG_INFO_BTF)", err)
	}
	o, err := findOffsets(f)
	if err != nil {
		return err
	}
	e.reasons = f.DropReasons()
	for _, m := range []struct {
		to   **ebpf.Map
		spec ebpf.MapSpec
	}{
		{&e.ring, ebpf.MapSpec{Type: ebpf.RingBuf, MaxEntries: 1 << 20}},
		{&e.flows, ebpf.MapSpec{Type: ebpf.LRUHash, KeySize: keySize, ValueSize: 8, MaxEntries: 256}},
		{&e.skbs, ebpf.MapSpec{Type: ebpf.LRUHash, KeySize: 8, ValueSize: 8, MaxEntries: 4096}},
	} {
		if *m.to, err = ebpf.NewMap(&m.spec); err != nil {
			return kstruct.Hint(err)
		}
	}
	for i, name := range tracepoints() {
		prog, err := ebpf.NewProgram(program(o, maps{e.ring.FD(), e.flows.FD(), e.skbs.FD()}, i+1))
		if err != nil {
			return kstruct.Hint(err)
		}
		e.progs = append(e.progs, prog)
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: name, Program: prog})
		if err != nil {
			return fmt.Errorf("tracepoint %s: %w", name, kstruct.Hint(err))
		}
		e.links = append(e.links, l)
	}
	e.reader, err = ringbuf.NewReader(e.ring)
	return err
}

// follow makes the eyes tell of packets of that flow and of its answers.
func (e *eyes) follow(t tuple) error {
	for _, t := range []tuple{t, t.reverse()} {
		k := t.key()
		if err := e.flows.Put(k[:], uint64(1)); err != nil {
			return fmt.Errorf("follow %s: %w", t, err)
		}
	}
	return nil
}

// read waits for the next sighting: false at the end of what there is after a flush, or when the eyes are closed.
func (e *eyes) read() (record, bool) {
	r, err := e.reader.Read()
	if err != nil {
		return record{}, false
	}
	return decodeRecord(r.RawSample)
}

func decodeRecord(b []byte) (record, bool) {
	if len(b) < recordSize {
		return record{}, false
	}
	u64 := binary.NativeEndian.Uint64
	name, _, _ := bytes.Cut(b[atDevice:atPacket], []byte{0})
	return record{
		at: time.Duration(u64(b[atTime:])), skb: u64(b[atSkb:]), kind: int(u64(b[atKind:])), reason: uint32(u64(b[atReason:])),
		location: u64(b[atLocation:]), cookie: u64(b[atCookie:]), link: string(name), packet: bytes.Clone(b[atPacket:recordSize]),
	}, true
}

// flush lets read return what there is, and then false, once.
func (e *eyes) flush() error { return e.reader.Flush() }

func (e *eyes) close() error {
	var errs []error
	if e.reader != nil {
		errs = append(errs, e.reader.Close())
	}
	for _, l := range e.links {
		errs = append(errs, l.Close())
	}
	for _, p := range e.progs {
		errs = append(errs, p.Close())
	}
	for _, m := range []*ebpf.Map{e.ring, e.flows, e.skbs} {
		if m != nil {
			errs = append(errs, m.Close())
		}
	}
	return errors.Join(errs...)
}

// functions names the kernel's functions that some addresses are in: one pass over a file such as /proc/kallsyms.
func functions(path string, addrs []uint64) map[uint64]string {
	if len(addrs) == 0 {
		return nil
	}
	best, names := map[uint64]uint64{}, map[uint64]string{}
	for n, name := range kstruct.Functions(path) {
		for _, a := range addrs {
			if n <= a && n > best[a] {
				best[a], names[a] = n, name
			}
		}
	}
	return names
}
