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

// QueryEach is Query for thousands of requests with short answers, of at most some 4 KiB: see is given each answer, whose data is good
// until it returns, or the error in its place. Nothing is kept. The order is that of the answers.
func (c *Conn) QueryEach(reqs []Request, see func(i int, m netlink.Message, err error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for start := 0; start < len(reqs); {
		end := start + datagram(reqs[start:], maxBatchMessages)
		c.queryShort(reqs[start:end], func(i int, m netlink.Message, err error) { see(start+i, m, err) })
		start = end
	}
}

// queryShort makes one round trip. Every request is answered once: by a message, by an error, or by the reason why nothing came.
func (c *Conn) queryShort(reqs []Request, see func(i int, m netlink.Message, err error)) {
	answered := make([]bool, len(reqs))
	base, err := c.send(reqs, 0)
	if c.in == nil {
		c.in = make([]byte, ackBuffer)
	}
	for pending := len(reqs); pending > 0 && err == nil; {
		var b []byte
		if b, err = c.receive(c.in, answerWait); err != nil {
			break
		}
		for len(b) > 0 {
			var m netlink.Message
			if m, b, err = nextMessage(b); err != nil {
				break
			}
			i := m.Header.Sequence - base
			if int64(i) >= int64(len(reqs)) || answered[i] {
				continue
			}
			answered[i] = true
			pending--
			if m.Header.Type == netlink.Error || m.Header.Type == netlink.Done {
				see(int(i), netlink.Message{}, answerError(m))
			} else {
				see(int(i), m, nil)
			}
		}
	}
	for i, done := range answered {
		if !done {
			see(i, netlink.Message{}, err)
		}
	}
}
