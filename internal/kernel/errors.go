package kernel

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"warren/plan"
)

// An OpError says what was tried, on which object, in which namespace, what the kernel said, and what may help.
type OpError struct {
	Op     string // "create", "change", "delete", "read", "check"
	Object string // "route 10.2.0.0/16", "namespace", "links"
	NS     string // key of the namespace
	Err    error  // unwraps to the errno
	Hint   string // "" = none
}

// Error is one line: create route 10.2.0.0/16 in "lab.r1": network is unreachable (hint: ...).
func (e *OpError) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Object != "" {
		b.WriteByte(' ')
		b.WriteString(e.Object)
	}
	if e.NS != "" {
		fmt.Fprintf(&b, " in %q", e.NS)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	if e.Hint != "" {
		fmt.Fprintf(&b, " (hint: %s)", e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }

// stepError is the error of a step.
func stepError(s plan.Step, err error) error {
	if _, ok := errors.AsType[*OpError](err); ok {
		return err
	}
	return &OpError{Op: string(s.Verb()), Object: describe(s.Object()), NS: s.NS, Err: err, Hint: stepHint(s, err)}
}

// stepHint says what may help against an error of a step.
func stepHint(s plan.Step, err error) string {
	o := s.Object()
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		if o.Namespace != nil {
			return "needs CAP_SYS_ADMIN and CAP_NET_ADMIN: run as root"
		}
		return "needs CAP_NET_ADMIN: run as root"
	case errors.Is(err, unix.EOPNOTSUPP):
		l, ok := linkOf(o)
		if ok && l.Bridge != nil && l.Bridge.VLANFiltering != nil {
			return "the kernel lacks VLAN filtering of bridges: CONFIG_BRIDGE_VLAN_FILTERING"
		}
		if ok && s.Before.IsZero() {
			if f := linkFeature(l.Kind); f.Name != "" {
				return "the kernel lacks " + f.Name + ": " + f.Needs
			}
		}
		if o.Table != nil || o.Elements != nil {
			return "the kernel lacks a part of nftables: " + nftFeature().Needs
		}
	case errors.Is(err, unix.ENOSPC) && o.Namespace != nil:
		return "the limit of network namespaces is reached: raise the sysctl user.max_net_namespaces"
	case errors.Is(err, unix.ENOMEM), errors.Is(err, unix.ENOBUFS):
		return "the kernel is out of memory for this: a namespace needs about 0.3 MB"
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return "too many open files: raise the limit (ulimit -n)"
	case errors.Is(err, unix.EEXIST):
		return "something of that name or address is there already and was not there when the plan was made"
	case errors.Is(err, unix.ENETUNREACH) && o.Route != nil:
		return "no address or route of the namespace covers the gateway, or its link is down"
	case errors.Is(err, unix.ENETDOWN) && o.Route != nil:
		return "the route's link is down"
	case errors.Is(err, unix.ENOENT) && o.Sysctl != nil:
		return "the kernel has no such sysctl in a network namespace"
	case errors.Is(err, unix.EBUSY) && o.Namespace != nil:
		return "its name is mounted more than once: see findmnt"
	}
	return ""
}
