package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
)

const (
	expandedFile = "lab.json"
	sourceFile   = "source"
)

// Encode writes values down for SaveExpanded, each in a line of its own. With several of them it takes two processors.
func Encode(values ...any) ([]byte, error) {
	lines := make([][]byte, len(values))
	err := sideBySide(len(values), func(i int) (err error) {
		lines[i], err = json.Marshal(values[i])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("write down a lab: %w", err)
	}
	return append(bytes.Join(lines, []byte{'\n'}), '\n'), nil
}

// SaveExpanded keeps the expanded lab (a *topo.Expanded, or the parts of one), as Encode has written it, for later commands.
// It is a cache: the kernel is the truth.
func (d Dir) SaveExpanded(data []byte) error { return writeAtomic(d.file(expandedFile), data, 0o600) }

// LoadExpanded reads what SaveExpanded wrote. It asks for pointers to as many values as there are. The error Is
// fs.ErrNotExist when there is none and ErrGarbage when it does not parse; both mean the same to a caller: it is not known
// how the lab was declared.
func (d Dir) LoadExpanded(values func(n int) []any) error {
	data, err := os.ReadFile(d.file(expandedFile))
	if err != nil {
		return err // *fs.PathError says it all
	}
	lines := bytes.Split(bytes.TrimSuffix(data, []byte{'\n'}), []byte{'\n'})
	into := values(len(lines))
	err = sideBySide(len(lines), func(i int) error { return json.Unmarshal(lines[i], into[i]) })
	if err != nil {
		return fmt.Errorf("read %s: %w: %w", d.file(expandedFile), ErrGarbage, err)
	}
	return nil
}

// sideBySide calls f for each of n values, from two goroutines when there are several.
func sideBySide(n int, f func(i int) error) error {
	errs := make([]error, n)
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			errs[i] = f(i)
		}
	}
	var wg sync.WaitGroup
	if n > 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	return errors.Join(errs...)
}

// A Source is the lab file that a lab was made from.
type Source struct {
	// Path is where it was, absolute; "" when the lab did not come from a file.
	Path string `json:"path,omitempty"`
	Data []byte `json:"data"`
}

// SaveSource keeps a copy of the lab file.
func (d Dir) SaveSource(s Source) error { return writeJSON(d.file(sourceFile), s, 0o600) }

// LoadSource reads what SaveSource wrote; errors as in LoadExpanded.
func (d Dir) LoadSource() (Source, error) {
	var s Source
	err := readJSON(d.file(sourceFile), &s)
	return s, err
}

// Forget removes the expanded lab and the source, so that a half-removed lab is not taken for a whole one.
func (d Dir) Forget() error {
	for _, name := range []string{expandedFile, sourceFile} {
		if err := os.Remove(d.file(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget lab %s: %w", d.lab, err)
		}
	}
	return nil
}
