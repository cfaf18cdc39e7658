package nft

import (
	"errors"
	"fmt"

	"warren/internal/nl"
)

// An OpError says which change of a transaction the kernel refused. Nothing of the transaction was done.
type OpError struct {
	Op     string // "add elements to"
	Object string // "nft set inet warren published4"
	// Part is what of it: "rule 3 of chain forward: ...", "element 1.2.3.4 . tcp . 80", or "".
	Part string
	// Index of the Op in the slice given to Apply; -1 when the refusal was for the transaction as a whole.
	Index int
	Err   error
}

// Error names operation, object and the kernel's reason.
func (e *OpError) Error() string {
	s := e.Op + " " + e.Object
	if e.Part != "" {
		s += " (" + e.Part + ")"
	}
	return s + ": " + e.Err.Error()
}

// Unwrap gives the kernel's errno.
func (e *OpError) Unwrap() error { return e.Err }

// Apply carries out all changes as one transaction: all or nothing. The error is an [*OpError] for the first change that the kernel
// refused, or an [ErrUnsupported] before anything was sent. No changes are no error.
func Apply(c *nl.Conn, ops []Op) error {
	if len(ops) == 0 {
		return nil
	}
	msgs, err := encode(ops)
	if err != nil {
		return err
	}
	reqs := make([]nl.Request, len(msgs))
	for i := range msgs {
		reqs[i] = msgs[i].Request
	}
	errs := c.Transact(reqs)
	for i, err := range errs {
		if err != nil {
			return blame(ops, msgs[i], err)
		}
	}
	return nil
}

// blame says what a refused message was about. A refusal of the begin message is one of the transaction (out of memory, not permitted).
func blame(ops []Op, m message, err error) error {
	e := &OpError{Op: "change", Object: "nftables", Index: -1, Err: err}
	if m.op < 0 {
		return e
	}
	e.Index = m.op
	e.Op, e.Object = ops[m.op].object()
	if m.object != nil {
		e.Part = m.object()
	}
	if kernel, ok := errors.AsType[*nl.Error](err); ok && m.elements != nil {
		// Which element: the last one that starts before the attribute that the kernel points at.
		at := kernel.Offset - nlmsgHeader
		for _, el := range m.elements {
			if kernel.Offset > 0 && el.offset <= at {
				e.Part = fmt.Sprintf("element %s", elementText(*el.elem))
			}
		}
	}
	return e
}

// nlmsgHeader is the length of struct nlmsghdr, which the kernel counts and a request's data lacks.
const nlmsgHeader = 16
