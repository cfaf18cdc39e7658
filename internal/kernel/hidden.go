package kernel

import (
	"context"

	"warren/netns"
	"warren/state"
)

// findHidden opens the namespaces that nothing visible leads to.
func findHidden(_ context.Context, _ []*netns.Found) ([]*netns.Found, []state.Unread) {
	return nil, nil
}
