package warren

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"warren/state"
)

// maxSnapshot bounds the JSON text of a snapshot that is read: a host of 10,000 namespaces has a tenth of it. A gzip file
// that is larger inside is refused like any other.
const maxSnapshot = 1 << 30

// Errors of reading a snapshot.
var (
	// ErrNotSnapshot: the file is not a snapshot, or it was cut off.
	ErrNotSnapshot = errors.New("is not a snapshot")
	// ErrNewerSnapshot: it is of a version that this program does not know.
	ErrNewerSnapshot = errors.New("is of a newer version")
)

// WriteSnapshot writes the JSON form, one document on one line.
func WriteSnapshot(w io.Writer, s state.Snapshot) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(&s); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return b.Flush()
}

// SaveSnapshot writes a snapshot to a file, compressed when its name ends in ".gz". The file appears whole or not at all,
// and only its owner may read it: a snapshot tells a lot about a host.
func SaveSnapshot(file string, s state.Snapshot) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if strings.HasSuffix(file, ".gz") {
		z := gzip.NewWriter(f)
		err = errors.Join(WriteSnapshot(z, s), z.Close())
	} else {
		err = WriteSnapshot(f, s)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write snapshot %s: %w", file, err)
	}
	if err = os.Rename(f.Name(), file); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return nil
}

// LoadSnapshot reads a file that [SaveSnapshot] wrote, compressed or not, whatever its name.
func LoadSnapshot(file string) (state.Snapshot, error) {
	f, err := os.Open(file)
	if err != nil {
		return state.Snapshot{}, fmt.Errorf("read snapshot: %w", err)
	}
	defer f.Close()
	s, err := ReadSnapshot(f)
	if err != nil {
		return state.Snapshot{}, fmt.Errorf("read snapshot %s: %w", file, err)
	}
	return s, nil
}

// ReadSnapshot reads the JSON form, which may be compressed with gzip. Fields that it does not know are passed over:
// within a version fields are only added.
func ReadSnapshot(r io.Reader) (state.Snapshot, error) {
	return readSnapshot(r, maxSnapshot)
}

func readSnapshot(r io.Reader, limit int64) (state.Snapshot, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	r = b
	if magic, _ := b.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return state.Snapshot{}, fmt.Errorf("it %w: %w", ErrNotSnapshot, err)
		}
		r = z
	}
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return state.Snapshot{}, fmt.Errorf("it %w: it was cut off", ErrNotSnapshot)
	case err != nil:
		return state.Snapshot{}, err
	case int64(len(text)) > limit:
		return state.Snapshot{}, fmt.Errorf("it %w: it is larger than %d MiB", ErrNotSnapshot, limit>>20)
	}
	return decodeSnapshot(text)
}

func decodeSnapshot(text []byte) (state.Snapshot, error) {
	var head struct {
		Version *int `json:"version"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return state.Snapshot{}, notSnapshot(text, err)
	}
	switch {
	case head.Version == nil || *head.Version < 1:
		return state.Snapshot{}, fmt.Errorf("it %w: it has no version", ErrNotSnapshot)
	case *head.Version > state.SnapshotVersion:
		return state.Snapshot{}, fmt.Errorf("it %w, %d; this program reads up to %d (hint: use a newer warren)",
			ErrNewerSnapshot, *head.Version, state.SnapshotVersion)
	}
	var s state.Snapshot
	if err := json.Unmarshal(text, &s); err != nil {
		return state.Snapshot{}, notSnapshot(text, err)
	}
	s.Sort()
	for i := 1; i < len(s.Namespaces); i++ {
		if s.Namespaces[i].Name == s.Namespaces[i-1].Name {
			return state.Snapshot{}, fmt.Errorf("it %w: two namespaces are called %q", ErrNotSnapshot, s.Namespaces[i].Name)
		}
	}
	return s, nil
}

// notSnapshot says where the text stops to be one.
func notSnapshot(text []byte, err error) error {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		if e.Offset >= int64(len(text)) {
			return fmt.Errorf("it %w: it was cut off", ErrNotSnapshot)
		}
		return fmt.Errorf("it %w: byte %d: %w", ErrNotSnapshot, e.Offset, err)
	}
	return fmt.Errorf("it %w: %w", ErrNotSnapshot, err)
}
