package warren

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"warren/state"
)

// SnapshotOptions of [Warren.Snapshot]. The zero value reads all of the host but conntrack's table, which can be large.
type SnapshotOptions struct {
	// Parts to read; 0 = all but conntrack.
	Parts state.Parts
	// Conntrack adds the table of connections.
	Conntrack bool
	// Names restricts the snapshot to these namespaces, by key; none = every one that can be found.
	Names []string
}

// Snapshot reads the whole host: every network namespace that can be found, named or not, with all that it holds, who
// lives in it, what keeps it alive and who made it. What could not be read is in Snapshot.Unread.
func (w *Warren) Snapshot(ctx context.Context, o SnapshotOptions) (state.Snapshot, error) {
	q := state.Query{Names: o.Names, Everywhere: len(o.Names) == 0, Parts: o.Parts}
	if q.Parts == 0 {
		q.Parts = state.PartsAll &^ state.PartConntrack
	}
	if o.Conntrack {
		q.Parts |= state.PartConntrack
	}
	s, err := w.kernel.Observe(ctx, q)
	if err != nil {
		return state.Snapshot{}, err
	}
	Stamp(&s)
	return s, nil
}

// Stamp says in a snapshot when and where it was read: now and here.
func Stamp(s *state.Snapshot) {
	s.Time = time.Now().UTC().Round(0)
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		s.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	s.Host, _ = os.Hostname()
}
