package live

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"

	"warren/internal/kstruct"
)

// programs are those of the object, and the maps that Go uses of it.
type programs struct {
	Ring     *ebpf.Map     `ebpf:"ring"`
	Flows    *ebpf.Map     `ebpf:"flows"` // key -> anything: exchanges that are followed
	Sent     *ebpf.Program `ebpf:"warren_sent"`
	Received *ebpf.Program `ebpf:"warren_received"`
	Dropped  *ebpf.Program `ebpf:"warren_dropped"`
	Consumed *ebpf.Program `ebpf:"warren_consumed"`
}

// eyes see where packets of some flows are, and where they are dropped, on the whole host.
type eyes struct {
	programs
	links   []link.Link // an attached link that nothing refers to is closed by the garbage collector
	reader  *ringbuf.Reader
	reasons kstruct.DropReasons
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
	e.reasons = f.DropReasons()
	if err := f.LoadObject(object, &e.programs); err != nil {
		return err
	}
	for _, p := range []struct {
		tracepoint string
		program    *ebpf.Program
	}{
		{"net_dev_queue", e.Sent},
		{"netif_receive_skb", e.Received},
		{"kfree_skb", e.Dropped},
		{"consume_skb", e.Consumed},
	} {
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: p.tracepoint, Program: p.program})
		if err != nil {
			return fmt.Errorf("tracepoint %s: %w", p.tracepoint, kstruct.Hint(err))
		}
		e.links = append(e.links, l)
	}
	e.reader, err = ringbuf.NewReader(e.Ring)
	return err
}

// follow makes the eyes tell of packets of that flow and of its answers.
func (e *eyes) follow(t tuple) error {
	for _, t := range []tuple{t, t.reverse()} {
		k := t.key()
		if err := e.Flows.Put(k[:], uint64(1)); err != nil {
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
	for _, p := range []*ebpf.Program{e.Sent, e.Received, e.Dropped, e.Consumed} {
		errs = append(errs, p.Close())
	}
	for _, m := range []*ebpf.Map{e.Ring, e.Flows} {
		errs = append(errs, m.Close())
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
