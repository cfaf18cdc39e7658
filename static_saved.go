package warren

import (
	"context"
	"fmt"

	"warren/state"
	"warren/topo"
)

// CheckSaved decides the checks of a lab file by the packet walk on a snapshot of the host on which it was up. Addresses that the
// file leaves open are those of the snapshot. Errors as [Warren.Check]; nothing is asked of this machine.
func CheckSaved(ctx context.Context, l *topo.Lab, s state.Snapshot, o CheckOptions) ([]CheckResult, error) {
	x, err := topo.Expand(l, inputs(l, s))
	if err != nil {
		return nil, err
	}
	there := false
	for i := range s.Namespaces {
		there = there || s.Namespaces[i].Mark.Lab == l.Name
	}
	if !there {
		return nil, fmt.Errorf("lab %q: %w in the snapshot", l.Name, ErrNotExist)
	}
	j := judge{x: x, gatherer: gatherer{have: s}}
	return j.all(ctx, o)
}
