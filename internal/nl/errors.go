package nl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"github.com/mdlayher/netlink"
)

// Errors that callers decide by.
var (
	// ErrInconsistent comes with a dump that something changed while it was made, after all retries. The data that comes
	// with it may miss entries or hold some twice.
	ErrInconsistent = errors.New("the kernel's tables changed during each attempt to read them")
	// ErrResync says that notifications were lost: whoever follows them has to read everything again.
	ErrResync = errors.New("notifications were lost")
	// ErrNoAnswer says that the kernel did not answer a request, or that the answer was lost: what became of the request
	// is not known.
	ErrNoAnswer = errors.New("no answer from the kernel")
	// ErrMalformed says that what came over the socket is not netlink.
	ErrMalformed = errors.New("malformed netlink message")
	// ErrClosed is the error of everything that is tried on a closed connection.
	ErrClosed = errors.New("the netlink socket is closed")
)

// An Error is the kernel's refusal of a request. It unwraps to the errno.
type Error struct {
	Errno syscall.Errno
	// Text is the kernel's explanation (NLMSGERR_ATTR_MSG); "" when it gave none.
	Text string
	// Offset is where in the message, header included, the attribute is that the kernel did not like
	// (NLMSGERR_ATTR_OFFS); 0 = it did not say.
	Offset int
	// Missing is the type of an attribute that the kernel wanted (NLMSGERR_ATTR_MISS_TYPE, Linux 6.1); 0 = none.
	Missing uint32
}

// Error gives the errno's words and the kernel's explanation.
func (e *Error) Error() string {
	s := e.Errno.Error()
	if e.Text != "" {
		s += " (kernel: " + e.Text + ")"
	}
	if e.Missing != 0 {
		s += fmt.Sprintf(" (attribute %d is missing)", e.Missing)
	}
	return s
}

// Unwrap returns the errno.
func (e *Error) Unwrap() error { return e.Errno }

// Attributes of an extended acknowledgement (enum nlmsgerr_attrs).
const (
	ackMsg      = 1
	ackOffset   = 2
	ackMissType = 5
)

// answerError reads the outcome in an NLMSG_ERROR or NLMSG_DONE message: nil means success.
func answerError(m netlink.Message) error {
	if m.Header.Type == netlink.Done && len(m.Data) == 0 {
		return nil
	}
	if len(m.Data) < 4 {
		return ErrMalformed
	}
	code := int32(binary.NativeEndian.Uint32(m.Data))
	if code == 0 || m.Header.Type == netlink.Done && code > 0 {
		return nil // a Done's number may be a count
	}
	if code > 0 {
		return ErrMalformed
	}
	e := &Error{Errno: syscall.Errno(-int64(code))}
	if m.Header.Flags&netlink.AcknowledgeTLVs == 0 {
		return e
	}
	off := 4
	if m.Header.Type == netlink.Error {
		// The request's header follows, and, unless the acknowledgement is capped, the whole request.
		if len(m.Data) < 4+headerLen {
			return e
		}
		off += headerLen
		if m.Header.Flags&netlink.Capped == 0 {
			n := int64(binary.NativeEndian.Uint32(m.Data[4:]))
			if n < headerLen || n > int64(len(m.Data)-4) {
				return e
			}
			off = min(4+align(int(n)), len(m.Data))
		}
	}
	ad, err := netlink.NewAttributeDecoder(m.Data[off:])
	if err != nil {
		return e
	}
	for ad.Next() {
		switch ad.Type() {
		case ackMsg:
			e.Text = ad.String()
		case ackOffset:
			e.Offset = int(ad.Uint32())
		case ackMissType:
			e.Missing = ad.Uint32()
		}
	}
	return e
}
