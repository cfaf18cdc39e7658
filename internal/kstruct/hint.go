package kstruct

import (
	"errors"
	"fmt"
	"os"
)

// Hint adds to an error of making maps, or of loading or attaching programs, what they need, where it Is [os.ErrPermission].
func Hint(err error) error {
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w (hint: this needs root, or CAP_BPF and CAP_PERFMON, of the machine itself)", err)
	}
	return err
}
