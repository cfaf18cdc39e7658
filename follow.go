package warren

import (
	"context"

	"warren/internal/watch"
)

// A HostEvent is something that happened to a namespace of the host, or in it.
type HostEvent = watch.Event

// FollowOptions of [Warren.Follow].
type FollowOptions struct {
	// Note is called with what limits the watch: BPF that is not allowed, a namespace that is not heard. Nil = nobody is told.
	Note func(error)
	// Ready is called when from now on nothing is missed. Nil = nobody waits.
	Ready func()
}

// Follow tells what happens to all network namespaces of the host, until ctx ends (nil) or f returns an error (that one): they are
// made, named, entered and gone; links, addresses, routes and rules change. To hear of a namespace it gets an id in our own
// (ip netns list-id), which stays. When notifications were lost there is an event that says so, and then what is different.
func (w *Warren) Follow(ctx context.Context, o FollowOptions, f func(HostEvent) error) error {
	return watch.Run(ctx, watch.Options{Observe: w.kernel.Observe, Note: o.Note, Ready: o.Ready}, f)
}
