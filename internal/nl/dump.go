package nl

import (
	"context"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// dumpAttempts is how often a dump is made when changes keep cutting it in two.
const dumpAttempts = 6

// dumpChunk is the largest part that the kernel makes of a dump.
const dumpChunk = 32 << 10

// Dump asks for a whole table (NLM_F_DUMP) and returns its messages. When each of several attempts was cut in two by a
// change, the messages of the last one come together with an error that is [ErrInconsistent]. With any other error there
// are none. The messages' data may be kept.
func (c *Conn) Dump(ctx context.Context, req Request) ([]netlink.Message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var msgs []netlink.Message
	for range dumpAttempts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var clean bool
		var err error
		msgs, clean, err = c.dumpOnce(ctx, req, msgs[:0])
		if err != nil {
			return nil, err
		}
		if clean {
			return msgs, nil
		}
	}
	return msgs, fmt.Errorf("%w (%d attempts)", ErrInconsistent, dumpAttempts)
}

// dumpOnce makes one attempt. It is not clean when the kernel says that something changed meanwhile, or when parts were
// lost.
func (c *Conn) dumpOnce(ctx context.Context, req Request, msgs []netlink.Message) (_ []netlink.Message, clean bool, err error) {
	seq, err := c.send([]Request{req}, netlink.Dump)
	if err != nil {
		return nil, false, err
	}
	clean = true
	var buf []byte
	for overruns := 0; ; {
		if err := ctx.Err(); err != nil {
			c.abandoned = seq
			return nil, false, err
		}
		b, err := c.receivePart(buf)
		if errors.Is(err, unix.ENOBUFS) && overruns < 16 {
			overruns++
			clean = false
			continue
		}
		if err != nil {
			c.abandoned = seq
			return nil, false, err
		}
		// A short dump gets exactly the memory it needs. After a first full part more are to be expected: offer room, what
		// is left of the last chunk or a new one.
		if left := cap(b) - len(b); left >= dumpChunk/2 {
			buf = b[len(b):len(b):cap(b)]
		} else if len(b) > 6<<10 {
			buf = make([]byte, 0, dumpChunk)
		} else {
			buf = nil
		}
		for len(b) > 0 {
			m, rest, err := nextMessage(b)
			if err != nil {
				c.abandoned = seq
				return nil, false, err
			}
			b = rest
			if m.Header.Sequence != seq {
				continue
			}
			if m.Header.Flags&netlink.DumpInterrupted != 0 {
				clean = false
			}
			switch m.Header.Type {
			case netlink.Done, netlink.Error:
				if err := answerError(m); err != nil {
					return nil, false, err
				}
				return msgs, clean, nil
			case netlink.Noop, netlink.Overrun:
			default:
				msgs = append(msgs, m)
			}
		}
	}
}

// receivePart reads a part of a dump.
func (c *Conn) receivePart(buf []byte) ([]byte, error) {
	if s, ok := c.wire.(*socket); ok {
		return s.receivePart(buf, answerWait)
	}
	return c.wire.Receive(buf, answerWait)
}

// drain reads a dump that was given up to its end.
func (c *Conn) drain() {
	seq := c.abandoned
	if seq == 0 {
		return
	}
	c.abandoned = 0
	buf := make([]byte, dumpChunk)
	for range 1 << 20 { // parts; an end, so that a broken wire cannot hold us for ever
		b, err := c.wire.Receive(buf, 0)
		if errors.Is(err, unix.ENOBUFS) {
			continue
		}
		if err != nil {
			return
		}
		for len(b) > 0 {
			m, rest, err := nextMessage(b)
			if err != nil {
				break
			}
			b = rest
			if m.Header.Sequence == seq && (m.Header.Type == netlink.Done || m.Header.Type == netlink.Error) {
				return
			}
		}
	}
}
