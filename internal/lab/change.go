package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

const changeFile = "changing"

// BeginChange notes that the lab's namespaces are about to be changed. Until EndChange the expanded lab that is kept does
// not tell all that may be in them.
func (d Dir) BeginChange() error {
	f, err := os.OpenFile(d.file(changeFile), os.O_CREATE|os.O_WRONLY|unix.O_NOFOLLOW, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return fmt.Errorf("note change of lab %s: %w", d.lab, err)
	}
	return nil
}

// Changing reports whether a change was begun and not ended. When it cannot be known it may have been.
func (d Dir) Changing() bool {
	_, err := os.Lstat(d.file(changeFile))
	return !errors.Is(err, fs.ErrNotExist)
}

// EndChange notes that the expanded lab that is kept is what was made.
func (d Dir) EndChange() error {
	if err := os.Remove(d.file(changeFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("end change of lab %s: %w", d.lab, err)
	}
	return nil
}
