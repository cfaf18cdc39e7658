package probe

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"warren/internal/nsock"
)

// An Opener opens sockets inside a namespace: a *netns.Handle.
type Opener = nsock.Opener

// A Code says what happened, for a program.
type Code string

// Codes.
const (
	OK          Code = "ok"
	Refused     Code = "refused"     // TCP reset, ICMP port unreachable: the host is there, nobody listens
	Timeout     Code = "timeout"     // nothing came back in time
	Unreachable Code = "unreachable" // somebody on the way says that it does not go on (ICMP), or there is no route
	Prohibited  Code = "prohibited"  // the same, by a policy (ICMP administratively prohibited)
	TooBig      Code = "too-big"     // the packet does not fit and must not be fragmented
	Reset       Code = "reset"       // the connection broke
	BadAnswer   Code = "bad-answer"  // an answer came and is not the wanted one (HTTP status, DNS error)
	NotVia      Code = "not-via"     // the path does not lead through that node
	Failed      Code = "failed"      // the probe itself could not be made (no such namespace, no permission)
)

// A Result of a probe.
type Result struct {
	OK   bool `json:"ok"`
	Code Code `json:"code"`
	// Detail says it for a person: "refused by 10.0.0.2", "no answer within 1s".
	Detail string `json:"detail"`
	// Took is from the first packet to the answer; of ping the round-trip time.
	Took time.Duration `json:"took"`
	// From is who answered, or said no; the zero Addr when nobody did.
	From netip.Addr `json:"from,omitzero"`

	// noNeighbour: somebody on the way says that nobody answers for the address.
	noNeighbour bool
}

// Options of a probe. The zero value works.
type Options struct {
	// Timeout is how long an answer may take ("within"); 0 = 2 s for echo and UDP, 3 s else: an address resolution that is
	// lost is repeated by the kernel after 1 s.
	Timeout time.Duration
	// Source is the address to send from; zero = the kernel's choice.
	Source netip.Addr
}

func (o Options) timeout(def time.Duration) time.Duration {
	if o.Timeout > 0 {
		return o.Timeout
	}
	return def
}

const (
	packetTimeout  = 2 * time.Second
	connectTimeout = 3 * time.Second
)

func failed(err error) Result { return Result{Code: Failed, Detail: err.Error()} }

func silence(d time.Duration) Result {
	return Result{Code: Timeout, Detail: fmt.Sprintf("no answer within %s", d), Took: d}
}

// retryPause is between two tries. A first try often fails because an address is only just being resolved.
const retryPause = 100 * time.Millisecond

// Retry repeats a probe until its OK is want, or the time is over. It returns the last result. d = 0 tries once.
func Retry(ctx context.Context, d time.Duration, want bool, f func(context.Context) Result) Result {
	deadline := time.Now().Add(d)
	for {
		r := f(ctx)
		if r.OK == want || ctx.Err() != nil || !time.Now().Add(retryPause).Before(deadline) {
			return r
		}
		select {
		case <-ctx.Done():
			return r
		case <-time.After(retryPause):
		}
	}
}

// resolution is how long the kernel asks for a neighbour before it gives up: mcast_solicit times retrans_time_ms (arp(7)).
const resolution = 3 * time.Second

// Anew carries out a probe, and once more when it is told that nobody answers for an address sooner than that can have been
// found out since: somebody was asking for the address before, perhaps when the link was another one. The next packet makes
// him ask anew.
func Anew(f func() Result) Result {
	start := time.Now()
	r := f()
	if r.noNeighbour && time.Since(start) < resolution {
		r = f()
	}
	return r
}

// Many carries out probes, at most limit of them at a time (0 = 64), and returns their results in the same order. Those
// that had not begun when the context ended have failed.
func Many(ctx context.Context, limit int, probes []func(context.Context) Result) []Result {
	if limit <= 0 {
		limit = 64
	}
	out := make([]Result, len(probes))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(limit, len(probes)) {
		workers.Go(func() {
			for i := range next {
				if err := ctx.Err(); err != nil {
					out[i] = failed(err)
					continue
				}
				out[i] = probes[i](ctx)
			}
		})
	}
	for i := range probes {
		next <- i
	}
	close(next)
	workers.Wait()
	return out
}
