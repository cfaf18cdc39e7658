package kstruct

import (
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// Fields finds fields one after the other, until one is missing: then it goes on with zeros, and Err says which it was.
type Fields struct {
	Spec *btf.Spec // the kernel's types
	err  error
}

// Load reads the kernel's types. The error is that of [btf.LoadKernelSpec].
func Load() (*Fields, error) {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, err
	}
	return &Fields{Spec: spec}, nil
}

// Offset is where a field is in a structure, in bytes. paths are its names in different kernels, the first one that is there
// counts; a dot leads into a structure within it. Members without a name are looked through.
func (f *Fields) Offset(typ string, paths ...string) int32 {
	if f.err != nil {
		return 0
	}
	var s *btf.Struct
	if f.err = f.Spec.TypeByName(typ, &s); f.err != nil {
		return 0
	}
	for _, p := range paths {
		if n, ok := offset(s, strings.Split(p, ".")); ok {
			return int32(n)
		}
	}
	f.err = fmt.Errorf("the kernel's struct %s has no %s", typ, paths[0])
	return 0
}

// Err is the first failure.
func (f *Fields) Err() error { return f.err }

func offset(t btf.Type, path []string) (uint32, bool) {
	var members []btf.Member
	switch s := btf.UnderlyingType(t).(type) {
	case *btf.Struct:
		members = s.Members
	case *btf.Union:
		members = s.Members
	}
	for _, m := range members {
		switch {
		case m.Name == path[0] && len(path) == 1:
			return m.Offset.Bytes(), true
		case m.Name == path[0]:
			n, ok := offset(m.Type, path[1:])
			return m.Offset.Bytes() + n, ok
		case m.Name == "":
			if n, ok := offset(m.Type, path); ok {
				return m.Offset.Bytes() + n, true
			}
		}
	}
	return 0, false
}
