package drops

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"

	"warren/internal/kstruct"
)

// ringSize holds some thousand drops.
const ringSize = 1 << 20

// A Reader tells of drops from the moment on when it was opened.
type Reader struct {
	ring    *ebpf.Map
	prog    *ebpf.Program
	link    link.Link
	reader  *ringbuf.Reader
	reasons kstruct.DropReasons
	symbols symbols
}

// Open attaches the program. It needs CAP_BPF and CAP_PERFMON in the initial user namespace, and a kernel with BTF; the error
// says what is missing.
func Open() (*Reader, error) {
	r := &Reader{}
	if err := r.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for dropped packets: %w", err), r.Close())
	}
	return r, nil
}

func (r *Reader) open() error {
	f, err := kstruct.Load()
	if err != nil {
		return fmt.Errorf("%w (hint: the kernel needs CONFIG_DEBUG_INFO_BTF)", err)
	}
	o, err := findOffsets(f)
	if err != nil {
		return err
	}
	r.reasons = f.DropReasons()
	r.symbols = readSymbols("/proc/kallsyms")
	if r.ring, err = ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.RingBuf, MaxEntries: ringSize}); err != nil {
		return kstruct.Hint(err)
	}
	if r.prog, err = ebpf.NewProgram(program(o, r.ring.FD())); err != nil {
		return kstruct.Hint(err)
	}
	if r.link, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: "kfree_skb", Program: r.prog}); err != nil {
		return kstruct.Hint(err)
	}
	r.reader, err = ringbuf.NewReader(r.ring)
	return err
}

// Read waits for the next drop. After Close it fails with an error that Is [os.ErrClosed].
func (r *Reader) Read() (Event, error) {
	rec, err := r.reader.Read()
	if err != nil {
		return Event{}, err
	}
	e, err := decode(rec.RawSample)
	if err != nil {
		return Event{}, err
	}
	e.Reason = r.reasons.Name(e.number)
	e.Function = r.symbols.name(e.location)
	return e, nil
}

// Close detaches the program and ends a Read that waits.
func (r *Reader) Close() error {
	var errs []error
	if r.reader != nil {
		errs = append(errs, r.reader.Close())
	}
	if r.link != nil {
		errs = append(errs, r.link.Close())
	}
	if r.prog != nil {
		errs = append(errs, r.prog.Close())
	}
	if r.ring != nil {
		errs = append(errs, r.ring.Close())
	}
	return errors.Join(errs...)
}
