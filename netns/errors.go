package netns

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// What a caller may want to decide by. The system's error is wrapped too, where there is one.
var (
	// ErrNotExist: there is no such namespace, or no such process.
	ErrNotExist = errors.New("network namespace does not exist")
	// ErrExist: the name is taken.
	ErrExist = errors.New("network namespace exists")
	// ErrNotPermitted: the kernel wants CAP_SYS_ADMIN over the namespace, or the right to look into a process.
	ErrNotPermitted = errors.New("not permitted")
	// ErrNotNamespace: the file is there, but it is no network namespace; often a name that was left half-made.
	ErrNotNamespace = errors.New("not a network namespace")
	// ErrBadName: the name cannot be one.
	ErrBadName = errors.New("bad name")
	// ErrAmbiguous: more than one container has an ID that starts so.
	ErrAmbiguous = errors.New("ambiguous")
	// ErrNoSpace: the limit of user.max_net_namespaces (namespaces(7)) is reached.
	ErrNoSpace = errors.New("too many network namespaces")
	// ErrClosed: the handle was closed.
	ErrClosed = errors.New("handle is closed")
)

// An OpError says what was tried on which namespace.
type OpError struct {
	Op     string // "open", "enter", "create", ...
	Object string // name, path or reference; "" = none
	Kind   error  // one of this package's errors, or nil
	Err    error  // the cause, or nil
	Hint   string // what helps, or ""
}

// Error gives operation, object, cause and hint.
func (e *OpError) Error() string {
	var b strings.Builder
	b.WriteString(e.Op + " netns")
	if e.Object != "" {
		fmt.Fprintf(&b, " %q", e.Object)
	}
	switch {
	case e.Err != nil:
		fmt.Fprintf(&b, ": %v", e.Err)
	case e.Kind != nil:
		fmt.Fprintf(&b, ": %v", e.Kind)
	}
	if e.Hint != "" {
		b.WriteString(" (hint: " + e.Hint + ")")
	}
	return b.String()
}

// Unwrap gives the kind and the cause.
func (e *OpError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// opError classifies what the system said.
func opError(op, object string, err error) error {
	e := &OpError{Op: op, Object: object, Err: err}
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		e.Kind, e.Hint = ErrNotPermitted, "this needs CAP_SYS_ADMIN: run as root"
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ESRCH):
		e.Kind = ErrNotExist
	case errors.Is(err, unix.EEXIST):
		e.Kind = ErrExist
	case errors.Is(err, unix.ENOSPC):
		e.Kind, e.Hint = ErrNoSpace, "sysctl user.max_net_namespaces limits them"
	}
	return e
}
