package fake

import (
	"fmt"
	"syscall"

	"warren/plan"
)

// An OpError says which step failed, where, and the errno that the kernel would have given.
type OpError struct {
	Op     plan.Verb
	Object string
	NS     string
	Err    error // a syscall.Errno
	Hint   string
}

func (e *OpError) Error() string {
	s := fmt.Sprintf("%s %s in %q: %v", e.Op, e.Object, e.NS, e.Err)
	if e.Hint != "" {
		s += " (hint: " + e.Hint + ")"
	}
	return s
}

// Unwrap returns the errno.
func (e *OpError) Unwrap() error { return e.Err }

// A refusal is an errno with the kernel's reason.
type refusal struct {
	errno syscall.Errno
	why   string
}

func (r *refusal) Error() string { return r.errno.Error() + ": " + r.why }
func (r *refusal) Unwrap() error { return r.errno }

func refuse(errno syscall.Errno, format string, args ...any) error {
	return &refusal{errno, fmt.Sprintf(format, args...)}
}
