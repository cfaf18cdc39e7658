package nl

import (
	"errors"
	"fmt"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// roundTrip sends the requests in one datagram, with flags added, and reads until each that asked for an acknowledgement
// has one. Messages that belong to requests are kept when results is not nil. The caller holds the lock.
func (c *Conn) roundTrip(reqs []Request, errs []error, results []Result, flags netlink.HeaderFlags) {
	base, err := c.send(reqs, flags)
	if err != nil {
		fill(errs, err)
		return
	}
	t := tracker{base: base, errs: errs, results: results, state: make([]answerState, len(reqs))}
	t.single = results != nil && flags&netlink.Acknowledge == 0
	for i, r := range reqs {
		if t.single || (r.Flags|flags)&netlink.Acknowledge != 0 {
			t.state[i] = waiting
			t.pending++
		}
	}
	wait := answerWait
	var odd error // what went wrong on the way, the reason for answers that do not come
	for overruns := 0; t.pending > 0; {
		var buf []byte
		if results == nil {
			if c.in == nil {
				c.in = make([]byte, ackBuffer)
			}
			buf = c.in
		}
		b, err := c.receive(buf, wait)
		switch {
		case errors.Is(err, unix.ENOBUFS) && overruns < 16:
			// Answers were lost. Those that were not are still in the queue, and no others will follow.
			overruns++
			odd, wait = err, 0
			continue
		case err != nil:
			t.giveUp(err, odd)
			return
		}
		if results == nil && cap(b) > cap(c.in) {
			c.in = b
		}
		if err := t.datagram(b); err != nil {
			odd, wait = err, 0
		}
		if t.stray != nil {
			odd, wait = t.stray, 0
		}
	}
}

// ackBuffer has room for any acknowledgement: the request is not repeated in it (NETLINK_CAP_ACK), and the kernel's sentences
// are short.
const ackBuffer = 4 << 10

// receive reads an answer. A buffer is only given for acknowledgements, whose size need not be asked for.
func (c *Conn) receive(buf []byte, wait time.Duration) ([]byte, error) {
	if s, ok := c.wire.(*socket); ok && len(buf) >= ackBuffer {
		return s.receiveAck(buf, wait)
	}
	return c.wire.Receive(buf, wait)
}

// send numbers the requests from base on and sends them.
func (c *Conn) send(reqs []Request, flags netlink.HeaderFlags) (base uint32, err error) {
	if c.closed {
		return 0, ErrClosed
	}
	c.drain()
	if c.seq > 1<<31 {
		c.seq = 0 // so that the numbers of one datagram never wrap; 0 is the number of notifications
	}
	base = c.seq + 1
	c.out = c.out[:0]
	for _, r := range reqs {
		c.seq++
		c.out = r.appendTo(c.out, flags, c.seq)
	}
	err = c.wire.Send(c.out)
	if cap(c.out) > maxBatchBytes {
		c.out = nil // a large transaction; not worth keeping
	}
	if err != nil {
		return 0, fmt.Errorf("send: %w", err)
	}
	return base, nil
}

type answerState uint8

const (
	notAsked answerState = iota // no acknowledgement was asked for; an error comes nevertheless
	waiting
	answered
)

// A tracker matches answers with the requests of one datagram.
type tracker struct {
	base    uint32
	errs    []error
	results []Result
	state   []answerState
	pending int
	single  bool  // each request is answered by one message, or by an error
	stray   error // the refusal of a request that no acknowledgement was asked for
}

// datagram takes the messages of one datagram. Answers to earlier requests, second answers and notifications are passed
// over.
func (t *tracker) datagram(b []byte) error {
	for len(b) > 0 {
		m, rest, err := nextMessage(b)
		if err != nil {
			return err
		}
		b = rest
		i := m.Header.Sequence - t.base
		if int64(i) >= int64(len(t.errs)) {
			continue
		}
		switch m.Header.Type {
		case netlink.Error, netlink.Done:
			err := answerError(m)
			switch {
			case t.state[i] == waiting:
				t.state[i] = answered
				t.pending--
				t.errs[i] = err
			case err != nil && t.state[i] == notAsked && t.errs[i] == nil:
				t.errs[i] = err
				t.stray = err
			}
		case netlink.Noop, netlink.Overrun:
		default:
			if t.results != nil && t.state[i] == waiting {
				t.results[i].Messages = append(t.results[i].Messages, m)
				if t.single {
					t.state[i] = answered
					t.pending--
				}
			}
		}
	}
	return nil
}

// giveUp marks what has no answer.
func (t *tracker) giveUp(err, odd error) {
	if t.stray != nil {
		err = t.stray
	} else if odd != nil {
		err = fmt.Errorf("%w: %w", ErrNoAnswer, odd)
	}
	for i, s := range t.state {
		if s == waiting {
			t.errs[i] = err
		}
	}
}
