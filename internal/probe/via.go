package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// maxHops is how far a path is followed.
const maxHops = 32

// hopsAtOnce: routers limit how many ICMP errors they send to one address (icmp_ratelimit), six in a row by default.
const hopsAtOnce = 4

// Path finds the routers between the namespace and a target: one address a hop, zero where nobody said anything, the
// target last when it answered. The Result is that of reaching the target.
func Path(ctx context.Context, ns Opener, target netip.Addr, o Options) ([]netip.Addr, Result) {
	target = target.Unmap()
	if !target.IsValid() {
		return nil, failed(errors.New("no address"))
	}
	p, err := newPinger(ns, target.Is6(), o)
	if err != nil {
		return nil, failed(err)
	}
	defer p.s.close()
	var hops []netip.Addr
	silent := 0
	for ttl := 1; ttl <= maxHops; ttl += hopsAtOnce {
		var jobs []*pingJob
		for i := range hopsAtOnce {
			jobs = append(jobs, &pingJob{target: target, ttl: ttl + i})
		}
		p.run(ctx, slices.Clone(jobs), o.timeout(packetTimeout))
		for _, j := range jobs {
			r := j.result
			switch {
			case r.OK:
				return append(hops, r.From), r
			case r.Code == Timeout:
				if silent++; silent > hopsAtOnce {
					return hops, r
				}
				hops = append(hops, netip.Addr{})
			case j.expired:
				silent = 0
				hops = append(hops, r.From)
			default:
				if r.From.IsValid() {
					hops = append(hops, r.From)
				}
				return hops, r
			}
		}
	}
	return hops, Result{Code: Unreachable, Detail: fmt.Sprintf("%s is more than %d hops away", target, maxHops)}
}

// Via is a yes when the target answers and one of the node's addresses is on the path to it.
func Via(ctx context.Context, ns Opener, target netip.Addr, node []netip.Addr, o Options) Result {
	hops, r := Path(ctx, ns, target, o)
	if !r.OK {
		return r
	}
	var text []string
	for _, h := range hops {
		if slices.Contains(node, h) {
			r.Detail = fmt.Sprintf("the path leads over %s, %s", h, r.Detail)
			return r
		}
		if h.IsValid() {
			text = append(text, h.String())
		} else {
			text = append(text, "?")
		}
	}
	r.OK, r.Code, r.Detail = false, NotVia, "the path is "+strings.Join(text, ", ")
	return r
}
