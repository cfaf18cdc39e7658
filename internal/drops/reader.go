package drops

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"

	"warren/internal/kstruct"
)

// programs are those of the object, and its map.
type programs struct {
	Ring    *ebpf.Map     `ebpf:"ring"`
	Dropped *ebpf.Program `ebpf:"warren_drops"`
}

// A Reader tells of drops from the moment on when it was opened.
type Reader struct {
	programs
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
	r.reasons = f.DropReasons()
	r.symbols = readSymbols("/proc/kallsyms")
	if err := f.LoadObject(object, &r.programs); err != nil {
		return err
	}
	if r.link, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: "kfree_skb", Program: r.Dropped}); err != nil {
		return kstruct.Hint(err)
	}
	r.reader, err = ringbuf.NewReader(r.Ring)
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
	errs = append(errs, r.Dropped.Close(), r.Ring.Close())
	return errors.Join(errs...)
}
