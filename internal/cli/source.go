package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"warren"
	"warren/state"
)

// A source is where a reading command reads from: the kernel, or a file that "warren snapshot" wrote.
type source struct{ file string }

// sourceFlag adds --snapshot FILE to a command.
func (a *app) sourceFlag(c *cobra.Command, s *source) {
	c.Flags().StringVar(&s.file, "snapshot", "", `read a file of "warren snapshot" instead of the kernel`)
	if err := c.MarkFlagFilename("snapshot", "json", "gz"); err != nil {
		panic(err) // the flag is there
	}
}

// given reports whether it is a file.
func (s source) given() bool { return s.file != "" }

// observe reads what q asks for from the kernel, or all that a file holds.
func (a *app) observe(ctx context.Context, s source, q state.Query) (state.Snapshot, error) {
	if s.given() {
		return warren.LoadSnapshot(s.file)
	}
	var snap state.Snapshot
	err := a.with(ctx, func(ctx context.Context, w *warren.Warren) (err error) {
		if snap, err = w.Observe(ctx, q); err == nil {
			warren.Stamp(&snap)
		}
		return err
	})
	return snap, err
}

func notThere(name string) error {
	return fmt.Errorf("namespace %q: %w (hint: warren ls -a lists what is there)", name, warren.ErrNotExist)
}
