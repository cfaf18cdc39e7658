package warren

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"warren/reach"
	"warren/reach/filter"
	"warren/state"
	"warren/topo"
)

// CheckStatic decides a lab's checks by the packet walk on what the kernel holds, without a single packet. A check whose
// outcome cannot be told does not hold. Errors as [Warren.Check].
func (w *Warren) CheckStatic(ctx context.Context, name string, o CheckOptions) ([]CheckResult, error) {
	x, err := w.recorded(name)
	if err != nil {
		return nil, err
	}
	defer w.kernel.Rest()
	j := judge{x: x, gatherer: gatherer{observe: w.kernel.Observe}}
	names := []string{state.HostNS}
	for _, c := range x.Checks {
		for _, a := range aims(x, c) {
			names = append(names, j.key(a.from))
			if a.to != "" {
				names = append(names, j.key(a.to))
			}
		}
	}
	slices.Sort(names)
	if err := j.whole(ctx, slices.Compact(names)...); err != nil {
		return nil, fmt.Errorf("lab %q: observe: %w", name, err)
	}
	return j.all(ctx, o)
}

// A judge decides checks by the packet walk.
type judge struct {
	x *topo.Expanded
	gatherer
}

// all decides the lab's checks in the file's order.
func (j *judge) all(ctx context.Context, o CheckOptions) ([]CheckResult, error) {
	results := []CheckResult{}
	failed := &CheckError{Lab: j.x.Lab}
	for _, c := range j.x.Checks {
		if !strings.Contains(c.Text, o.Only) {
			continue
		}
		start := time.Now()
		aims := aims(j.x, c)
		parts := make([]CheckResult, 0, len(aims))
		for _, a := range aims {
			p, err := j.one(ctx, a, c)
			if err != nil {
				return results, err
			}
			parts = append(parts, p)
		}
		r := summary(c.Text, parts)
		r.Took = time.Since(start)
		results = append(results, r)
		if !r.OK {
			failed.Failed = append(failed.Failed, r)
		}
	}
	if len(failed.Failed) > 0 {
		return results, failed
	}
	return results, nil
}

// one decides one probe of a check.
func (j *judge) one(ctx context.Context, a aim, c topo.Check) (CheckResult, error) {
	r := CheckResult{Check: a.text(c)}
	if c.Verb == "dns" {
		if found := hostsFor(j.x, a.from)[c.Target.Name]; len(found) > 0 {
			r.OK, r.Detail = c.Can, fmt.Sprintf("%s is %s, says the hosts file", c.Target.Name, found[0])
			return r, nil
		}
		r.Detail = "unknown: what a resolver answers is not in the kernel (hint: check without --static asks it)"
		return r, nil
	}
	flow, bad := j.flow(a, c)
	if bad != "" {
		r.Detail = bad
		return r, nil
	}
	v, err := j.trace(ctx, flow)
	if err != nil {
		return r, err
	}
	r.Detail = told(v)
	switch {
	case v.Reachable == reach.Yes && c.Via != "" && !passes(v, j.key(c.Via)):
		r.OK = !c.Can
		r.Detail += ", but not by way of " + c.Via
	case v.Reachable != reach.Unknown:
		r.OK = (v.Reachable == reach.Yes) == c.Can
	}
	if !r.OK {
		r.Why = &v
	}
	return r, nil
}

// key is the namespace of a node.
func (j *judge) key(node string) string {
	if n := j.x.Node(node); n != nil {
		return n.NS
	}
	return state.HostNS
}

// flow is the packet that a probe would send; bad says why there is none.
func (j *judge) flow(a aim, c topo.Check) (f reach.Flow, bad string) {
	if a.err != "" {
		return f, a.err
	}
	f = reach.Flow{Source: j.key(a.from), Dst: a.addr, Port: c.Target.Port, Proto: filter.ICMP, Complete: j.observe == nil, Rules: ruleTexts()}
	if a.to != "" {
		f.Target = j.key(a.to)
	}
	switch c.Verb {
	case "tcp", "http":
		f.Proto = filter.TCP
	case "udp":
		f.Proto = filter.UDP
	case "mtu":
		f.Size = int(c.MTU)
	}
	if c.Target.URL != "" {
		if f.Dst, f.Port, bad = j.urlTarget(a.from, c.Target.URL); bad != "" {
			return f, bad
		}
	}
	if c.Verb == "http" && f.Port == 0 {
		f.Port = 80
	}
	return f, ""
}

// urlTarget is where a URL's server is.
func (j *judge) urlTarget(from, text string) (a netip.Addr, port uint16, bad string) {
	u, err := url.Parse(text)
	if err != nil {
		return a, 0, err.Error()
	}
	port = 80
	if u.Scheme == "https" {
		port = 443
	}
	if p, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		port = uint16(p)
	}
	if a, err = netip.ParseAddr(u.Hostname()); err == nil {
		return a.Unmap(), port, ""
	}
	if found := hostsFor(j.x, from)[u.Hostname()]; len(found) > 0 {
		return found[0], port, ""
	}
	return a, 0, fmt.Sprintf("unknown: %s is not in the hosts file, and what a resolver answers is not in the kernel", u.Hostname())
}

// trace walks, and reads what is still missing.
func (j *judge) trace(ctx context.Context, f reach.Flow) (reach.Verdict, error) {
	for range whySteps {
		v, missing := reach.Trace(&j.have, f)
		if missing.Empty() || f.Complete {
			return v, nil
		}
		grown, err := j.more(ctx, missing)
		if err != nil {
			return v, fmt.Errorf("lab %q: observe: %w", j.x.Lab, err)
		}
		f.Complete, f.Asked = !grown, j.asks
	}
	f.Complete = true
	v, _ := reach.Trace(&j.have, f)
	return v, nil
}

// told is a verdict in a line.
func told(v reach.Verdict) string {
	switch {
	case v.Reachable == reach.Yes:
		return "arrives, and so does the answer"
	case v.Reachable == reach.No && v.Reason != nil:
		return fmt.Sprintf("%s in %s: %s", v.Reason.Code, v.Reason.Namespace, v.Reason.Text)
	case len(v.Unknowns) > 0:
		return fmt.Sprintf("unknown: %s: %s", v.Unknowns[0].Object, v.Unknowns[0].Text)
	}
	return v.Reachable
}

// passes reports whether the request goes through a namespace.
func passes(v reach.Verdict, key string) bool {
	return slices.ContainsFunc(v.Request, func(s reach.Step) bool { return s.Namespace == key || strings.HasSuffix(key, "."+s.Namespace) })
}

// summary puts the probes of a check together.
func summary(text string, parts []CheckResult) CheckResult {
	slices.SortStableFunc(parts, func(a, b CheckResult) int {
		switch {
		case a.OK == b.OK:
			return 0
		case b.OK:
			return -1
		}
		return 1
	})
	held := 0
	for _, p := range parts {
		if p.OK {
			held++
		}
	}
	r := CheckResult{Check: text, OK: held == len(parts) && held > 0, Parts: parts}
	switch {
	case len(parts) == 0:
		r.Detail = "there is nobody to send from or to"
	case len(parts) == 1:
		r.Detail, r.Took, r.Why, r.Parts = parts[0].Detail, parts[0].Took, parts[0].Why, nil
	case r.OK:
		r.Detail = fmt.Sprintf("%d of %d", held, len(parts))
	default:
		first := parts[0]
		r.Detail = fmt.Sprintf("%d of %d; %s: %s", held, len(parts), first.Check, first.Detail)
		r.Why = first.Why
	}
	return r
}
