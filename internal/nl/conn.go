package nl

import (
	"errors"
	"sync"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A Conn sends requests over one netlink socket and returns the answers. It may be used from several goroutines; calls
// are carried out one after the other. It is cheap: a handful of system calls, a few kilobytes.
type Conn struct {
	fd int // -1 when there is none

	mu     sync.Mutex
	wire   Wire
	seq    uint32
	out    []byte // reused for sending
	in     []byte // reused for acknowledgements
	closed bool
	// abandoned is the sequence number of a dump that was given up half-way; 0 = none. The kernel refuses the next dump
	// until this one has been read to its end.
	abandoned uint32
}

// New makes a connection of a netlink socket of any family. It owns the socket from then on, also when it fails.
func New(fd int) (*Conn, error) {
	s, err := openSocket(fd)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return &Conn{fd: fd, wire: s}, nil
}

// NewWire makes a connection of anything that carries datagrams.
func NewWire(w Wire) *Conn { return &Conn{fd: -1, wire: w} }

// FD returns the socket's descriptor, which stays the connection's own; -1 when there is none.
func (c *Conn) FD() int { return c.fd }

// Close closes the socket. It may be called more than once.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	c.out, c.in = nil, nil
	if s, ok := c.wire.(*socket); ok {
		return s.close()
	}
	return nil
}

// Limits of one datagram. The kernel's own limit is the socket's send buffer (208 KiB); answers to more messages than
// this might not fit into the receive buffer.
const (
	maxBatchMessages = 64
	maxBatchBytes    = 32 << 10
	// A reply that describes a link takes 8 KiB of a receive buffer that without CAP_NET_ADMIN is 416 KiB.
	maxExchangeMessages = 32
)

// answerWait is how long a missing answer is waited for. The kernel answers while the request is being sent, so this
// passes only when something is broken.
const answerWait = 2 * time.Second

// Batch sends the requests in as few datagrams as sensible and returns an error, or nil, for each. The kernel carries out
// every one of them in order, also after one that failed.
func (c *Conn) Batch(reqs []Request) []error {
	errs := make([]error, len(reqs))
	c.mu.Lock()
	defer c.mu.Unlock()
	for start := 0; start < len(reqs); {
		end := start + datagram(reqs[start:], maxBatchMessages)
		c.roundTrip(reqs[start:end], errs[start:end], nil, netlink.Acknowledge)
		start = end
	}
	return errs
}

// Exchange is Batch for requests that are answered by messages, such as an RTM_GETLINK by name. It is not for dumps.
func (c *Conn) Exchange(reqs []Request) []Result {
	results := make([]Result, len(reqs))
	errs := make([]error, len(reqs))
	c.mu.Lock()
	defer c.mu.Unlock()
	for start := 0; start < len(reqs); {
		end := start + datagram(reqs[start:], maxExchangeMessages)
		c.roundTrip(reqs[start:end], errs[start:end], results[start:end], netlink.Acknowledge)
		start = end
	}
	for i, err := range errs {
		results[i].Err = err
	}
	return results
}

// Query is Exchange for requests that are answered by exactly one message or by an error: it does without acknowledgements.
func (c *Conn) Query(reqs []Request) []Result {
	results := make([]Result, len(reqs))
	errs := make([]error, len(reqs))
	c.mu.Lock()
	defer c.mu.Unlock()
	for start := 0; start < len(reqs); {
		end := start + datagram(reqs[start:], maxExchangeMessages)
		c.roundTrip(reqs[start:end], errs[start:end], results[start:end], 0)
		start = end
	}
	for i, err := range errs {
		results[i].Err = err
	}
	return results
}

// Transact sends all requests in one datagram, whatever its size: an nfnetlink batch (between NFNL_MSG_BATCH_BEGIN and
// NFNL_MSG_BATCH_END) must not be cut in two. Only requests that have the flag Acknowledge are waited for, so at least the
// last but one has to have it; errors of the others are reported nevertheless. An acknowledgement takes about 1 KiB of the
// receive buffer (1 MiB): ask for few. If the kernel refuses a request that none was asked for, requests still waited for
// may never be answered; they get that same error.
func (c *Conn) Transact(reqs []Request) []error {
	errs := make([]error, len(reqs))
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, r := range reqs {
		n += r.wireLen()
	}
	// The kernel's default, minus what it keeps for itself.
	if n > 200<<10 && c.fd >= 0 && !c.closed {
		if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 2*n); err != nil {
			fill(errs, err)
			return errs
		}
	}
	c.roundTrip(reqs, errs, nil, 0)
	return errs
}

// datagram is the number of requests, at least one, that go together.
func datagram(reqs []Request, limit int) int {
	n := 0
	for i, r := range reqs {
		n += r.wireLen()
		if i == limit || i > 0 && n > maxBatchBytes {
			return i
		}
	}
	return len(reqs)
}

func fill(errs []error, err error) {
	for i := range errs {
		errs[i] = err
	}
}
