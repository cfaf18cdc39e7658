package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

const (
	expandedFile = "lab.json"
	sourceFile   = "source"
)

// SaveExpanded keeps the expanded lab (a *topo.Expanded) for later commands. It is a cache: the kernel is the truth.
func (d Dir) SaveExpanded(v any) error { return writeJSON(d.file(expandedFile), v, 0o600) }

// LoadExpanded reads what SaveExpanded wrote. The error Is fs.ErrNotExist when there is none and ErrGarbage when it
// does not parse; both mean the same to a caller: it is not known how the lab was declared.
func (d Dir) LoadExpanded(v any) error { return readJSON(d.file(expandedFile), v) }

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
