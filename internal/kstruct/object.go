package kstruct

import (
	"strings"

	"github.com/cilium/ebpf"
)

// LoadObject loads the maps and programs of a compiled object (an ELF file, as tools/bpf makes them) for the running kernel: to
// points to a struct whose fields are tagged `ebpf:"name"`; they are the caller's to close. It needs CAP_BPF and CAP_PERFMON of
// the machine itself; the error has a hint.
func (f *Fields) LoadObject(object string, to any) error {
	spec, err := ebpf.LoadCollectionSpecFromReader(strings.NewReader(object))
	if err != nil {
		return err
	}
	all, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Programs: ebpf.ProgramOptions{KernelTypes: f.Spec}})
	if err != nil {
		return Hint(err)
	}
	defer all.Close() // what nobody asked for; the programs hold the maps that they need
	return all.Assign(to)
}
