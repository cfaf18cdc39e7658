package warren

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"warren/state"
)

// A Counter is what went through a link, or through all links of a namespace; lo and links that sit on others of their
// namespace (a bridge on its ports) are not in the sum.
type Counter struct {
	NS string `json:"ns"`
	// Link is "" for the sum of a namespace.
	Link string `json:"link,omitempty"`
	state.Stats
	// Rate is per second, between two readings; nil when there is one only, or when the link was not there (or another one) at
	// the first.
	Rate *Rate `json:"rate,omitempty"`
}

// A Rate is how much goes through per second.
type Rate struct {
	RxBytes   float64 `json:"rx_bytes"`
	RxPackets float64 `json:"rx_packets"`
	TxBytes   float64 `json:"tx_bytes"`
	TxPackets float64 `json:"tx_packets"`
	RxErrors  float64 `json:"rx_errors"`
	RxDropped float64 `json:"rx_dropped"`
	TxErrors  float64 `json:"tx_errors"`
	TxDropped float64 `json:"tx_dropped"`
}

// Counters makes lines of the counters in a snapshot (Query.Parts with state.PartStats): per namespace its sum, then its
// links. With an earlier snapshot there are rates; the time between is that of the snapshots.
func Counters(s state.Snapshot, before *state.Snapshot) []Counter {
	var took time.Duration
	if before != nil {
		took = s.Time.Sub(before.Time)
	}
	var out []Counter
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		var old *state.Namespace
		if before != nil && took > 0 {
			if old = before.Namespace(n.Name); old != nil && old.Cookie != n.Cookie {
				old = nil // another namespace of that name
			}
		}
		sum := Counter{NS: n.Name}
		if old != nil {
			sum.Rate = &Rate{}
		}
		var links []Counter
		for k := range n.Links {
			l := &n.Links[k]
			if l.Stats == nil {
				continue
			}
			c := Counter{NS: n.Name, Link: l.Name, Stats: *l.Stats}
			if old != nil {
				if was := old.Link(l.Name); was != nil && was.Stats != nil && was.Index == l.Index && !fell(was.Stats, l.Stats) {
					c.Rate = rate(was.Stats, l.Stats, took)
				}
			}
			links = append(links, c)
			if !stacked(l) {
				sum.plus(c)
			}
		}
		if len(links) > 0 {
			out = append(append(out, sum), links...)
		}
	}
	return out
}

// stacked tells that what goes through a link goes through another one of its namespace, too: it would be counted twice. lo
// counts what never leaves.
func stacked(l *state.Link) bool {
	switch l.Kind {
	case "bridge", "bond", "team", "vrf":
		return true
	}
	return l.Name == "lo" || l.Lower != nil && l.Lower.NSID < 0 && l.Lower.Name != ""
}

// fell tells that a counter is smaller than before: the link is another one.
func fell(was, is *state.Stats) bool {
	return is.RxPackets < was.RxPackets || is.TxPackets < was.TxPackets || is.RxBytes < was.RxBytes || is.TxBytes < was.TxBytes
}

func rate(was, is *state.Stats, took time.Duration) *Rate {
	per := func(a, b uint64) float64 {
		if b < a {
			return 0
		}
		return float64(b-a) / took.Seconds()
	}
	return &Rate{
		per(was.RxBytes, is.RxBytes), per(was.RxPackets, is.RxPackets), per(was.TxBytes, is.TxBytes), per(was.TxPackets, is.TxPackets),
		per(was.RxErrors, is.RxErrors), per(was.RxDropped, is.RxDropped), per(was.TxErrors, is.TxErrors), per(was.TxDropped, is.TxDropped),
	}
}

func (c *Counter) plus(o Counter) {
	for _, p := range [][2]*uint64{
		{&c.RxBytes, &o.RxBytes},
		{&c.RxPackets, &o.RxPackets},
		{&c.RxErrors, &o.RxErrors},
		{&c.RxDropped, &o.RxDropped},
		{&c.TxBytes, &o.TxBytes},
		{&c.TxPackets, &o.TxPackets},
		{&c.TxErrors, &o.TxErrors},
		{&c.TxDropped, &o.TxDropped},
	} {
		*p[0] += *p[1]
	}
	if c.Rate == nil || o.Rate == nil {
		return
	}
	for _, p := range [][2]*float64{
		{&c.Rate.RxBytes, &o.Rate.RxBytes},
		{&c.Rate.RxPackets, &o.Rate.RxPackets},
		{&c.Rate.TxBytes, &o.Rate.TxBytes},
		{&c.Rate.TxPackets, &o.Rate.TxPackets},
		{&c.Rate.RxErrors, &o.Rate.RxErrors},
		{&c.Rate.RxDropped, &o.Rate.RxDropped},
		{&c.Rate.TxErrors, &o.Rate.TxErrors},
		{&c.Rate.TxDropped, &o.Rate.TxDropped},
	} {
		*p[0] += *p[1]
	}
}

// SortCounters sorts by "name" (namespace and link), "rate" (bytes per second), "bytes", "packets", "errors" or "drops",
// largest first; what is equal stays in the order of names.
func SortCounters(list []Counter, by string) {
	key := func(c Counter) float64 {
		switch by {
		case "rate":
			if c.Rate == nil {
				return 0
			}
			return c.Rate.RxBytes + c.Rate.TxBytes
		case "bytes":
			return float64(c.RxBytes + c.TxBytes)
		case "packets":
			return float64(c.RxPackets + c.TxPackets)
		case "errors":
			return float64(c.RxErrors + c.TxErrors)
		case "drops":
			return float64(c.RxDropped + c.TxDropped)
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b Counter) int {
		return cmp.Or(cmp.Compare(key(b), key(a)), strings.Compare(a.NS, b.NS), strings.Compare(a.Link, b.Link))
	})
}
