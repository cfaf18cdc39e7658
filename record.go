package warren

import (
	"errors"
	"io/fs"
	"slices"

	"warren/internal/lab"
	"warren/state"
	"warren/topo"
)

// recordPart is how many namespaces are written down together. A large lab's record, a megabyte for a thousand nodes, is read
// and written in such parts with two processors; a lab with fewer is one part.
const recordPart = 128

// encodeRecord writes an expanded lab down.
func encodeRecord(x *topo.Expanded) ([]byte, error) {
	if len(x.Desired.Namespaces) <= recordPart {
		return lab.Encode(x)
	}
	head := *x
	head.Desired.Namespaces = nil
	parts := []any{&head}
	for part := range slices.Chunk(x.Desired.Namespaces, recordPart) {
		parts = append(parts, part)
	}
	return lab.Encode(parts...)
}

// former is the lab as it was last brought up, nil when that is not known. It is a cache: what Up and Down do does not
// depend on it, but for sysctls and MTUs that are no longer declared.
func (w *Warren) former(name string) (*topo.Expanded, error) {
	dir, err := w.runDir().Dir(name)
	if err != nil {
		return nil, err
	}
	x := &topo.Expanded{}
	var parts [][]state.DesiredNamespace
	err = dir.LoadExpanded(func(n int) []any {
		into := []any{x}
		parts = make([][]state.DesiredNamespace, n-1)
		for i := range parts {
			into = append(into, &parts[i])
		}
		return into
	})
	switch {
	case err == nil && x.Lab == name:
		if len(parts) > 0 {
			x.Desired.Namespaces = slices.Concat(parts...)
		}
		return x, nil
	case err == nil, errors.Is(err, fs.ErrNotExist), errors.Is(err, lab.ErrGarbage):
		return nil, nil
	default:
		return nil, err
	}
}

// A laterRecord is a record that is being written down while something else is done.
type laterRecord struct {
	data []byte
	err  error
	done chan struct{}
}

func startRecord(x *topo.Expanded) *laterRecord {
	r := &laterRecord{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.data, r.err = encodeRecord(x)
	}()
	return r
}

// save puts the record into the lab's directory.
func (r *laterRecord) save(dir lab.Dir) error {
	<-r.done
	if r.err != nil {
		return r.err
	}
	return dir.SaveExpanded(r.data)
}
