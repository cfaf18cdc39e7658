package plan

import (
	"fmt"
	"strings"
)

// A CollisionError says that something that the lab wants to make is there already and belongs to somebody else. Nothing
// has been changed.
type CollisionError struct {
	NS     string // where
	Object string // what: "namespace shop.web", "link w0b1c", "table inet warren"
	Owner  string // whose, in words: "lab shop", "nobody's (not made by warren)"
	Hint   string // what helps; may be empty
}

func (e *CollisionError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s in %s is there already and is %s", e.Object, e.NS, e.Owner)
	if e.Hint != "" {
		fmt.Fprintf(&b, " (hint: %s)", e.Hint)
	}
	return b.String()
}

// A MissingError says that a namespace that the lab uses but does not own is not there.
type MissingError struct {
	NS string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("namespace %s is used by the lab and does not exist (hint: it is not the lab's own, so make it first)", e.NS)
}

// An UnreadError says that the snapshot lacks something that the comparison needs.
type UnreadError struct {
	NS     string
	Object string
	Reason string
}

func (e *UnreadError) Error() string {
	return fmt.Sprintf("cannot compare namespace %s: its %s could not be read: %s", e.NS, e.Object, e.Reason)
}

// An InvalidError says that what is wanted contradicts itself: a mistake in what made the [state.Desired].
type InvalidError struct {
	NS     string
	Object string
	Reason string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("%s in %s cannot be made: %s", e.Object, e.NS, e.Reason)
}
