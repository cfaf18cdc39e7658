package nl

import (
	"context"

	"github.com/mdlayher/netlink"
)

// DumpEach makes n small dumps one after the other: see is given the messages of the i-th, whose data is good until it returns, and
// then whether that was all (nil), or why not; ErrInconsistent where Dump would have tried again. It keeps nothing, and asks for no
// sizes: it is for thousands of dumps of a few hundred bytes.
func (c *Conn) DumpEach(ctx context.Context, n int, req func(i int) Request, see func(i int, m netlink.Message), done func(i int, err error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	buf := make([]byte, shortPart)
	for i := range n {
		if err := ctx.Err(); err != nil {
			done(i, err)
			continue
		}
		done(i, c.dumpInto(buf, req(i), func(m netlink.Message) { see(i, m) }))
	}
}

// dumpInto makes one attempt at a dump whose parts fit into buf.
func (c *Conn) dumpInto(buf []byte, req Request, see func(netlink.Message)) error {
	seq, err := c.send([]Request{req}, netlink.Dump)
	if err != nil {
		return err
	}
	interrupted := false
	for {
		b, err := c.receive(buf, answerWait)
		if err != nil {
			c.abandoned = seq
			return err
		}
		for len(b) > 0 {
			m, rest, err := nextMessage(b)
			if err != nil {
				c.abandoned = seq
				return err
			}
			b = rest
			if m.Header.Sequence != seq {
				continue
			}
			interrupted = interrupted || m.Header.Flags&netlink.DumpInterrupted != 0
			switch m.Header.Type {
			case netlink.Done, netlink.Error:
				if err := answerError(m); err != nil {
					return err
				}
				if interrupted {
					return ErrInconsistent
				}
				return nil
			case netlink.Noop, netlink.Overrun:
			default:
				see(m)
			}
		}
	}
}
