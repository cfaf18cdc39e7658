package warren

import (
	"context"
	"fmt"

	"warren/internal/lab"
	"warren/netns"
)

// recover deals with what a killed command of this lab left in motion; it is called under the lab's lock, before anything
// is read. What stands still (a half-made lab) needs nothing: it is a difference like any other. But the kernel may still
// be taking down namespaces, whose cables' other ends vanish from under whoever counts on them, and names may be half-made.
func (w *Warren) recover(ctx context.Context, dir lab.Dir) error {
	journal, err := dir.ReadJournal()
	if err != nil {
		return err
	}
	if journal.Empty() {
		return nil
	}
	w.event(Event{Lab: dir.Lab(), Phase: "recover", Text: "an earlier command was interrupted"})
	if _, err := w.kernel.Sweep(ctx, dir.Lab()); err != nil {
		return fmt.Errorf("lab %q: %w", dir.Lab(), err)
	}
	if err := netns.WaitGone(ctx); err != nil {
		return fmt.Errorf("lab %q: wait for what an earlier command removed: %w", dir.Lab(), err)
	}
	return nil
}
