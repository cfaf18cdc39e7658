package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// textFile is the lab file as a person reads it: what was brought up, with what single commands have changed since.
const textFile = "lab.yaml"

// SaveText keeps the text of the lab file; none removes it.
func (d Dir) SaveText(text []byte) error {
	if len(text) > 0 {
		return writeAtomic(d.file(textFile), text, 0o600)
	}
	if err := os.Remove(d.file(textFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget text of lab %s: %w", d.lab, err)
	}
	return nil
}

// LoadText reads what SaveText wrote; nil when there is none.
func (d Dir) LoadText() ([]byte, error) {
	text, err := os.ReadFile(d.file(textFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}
