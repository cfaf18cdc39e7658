package fake

import (
	"context"
	"fmt"
	"strings"

	"warren/plan"
)

// String is the whole machine as text that looks like ip's: for a person, and for comparing.
func (k *Kernel) String() string {
	s, _ := k.Observe(context.Background(), everything)
	var b strings.Builder
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		fmt.Fprintf(&b, "netns %s\n", n.Name)
		for j := range n.Links {
			l := &n.Links[j]
			fmt.Fprintf(&b, "  link %d: %s", l.Index, l.Name)
			if l.Peer != nil {
				fmt.Fprintf(&b, "@%s/%s", l.Peer.NS, l.Peer.Name)
			}
			fmt.Fprintf(&b, " %s mtu %d state %s", orWord(l.Kind, "link"), l.MTU, l.OperState)
			if l.Master != "" {
				fmt.Fprintf(&b, " master %s", l.Master)
			}
			for _, a := range l.AltNames {
				fmt.Fprintf(&b, " altname %s", a)
			}
			b.WriteByte('\n')
		}
		for j := range n.Addrs {
			fmt.Fprintf(&b, "  %s\n", plan.Object{Addr: &n.Addrs[j]})
		}
		for j := range n.Routes {
			fmt.Fprintf(&b, "  %s\n", plan.Object{Route: &n.Routes[j]})
		}
		for j := range n.Rules {
			fmt.Fprintf(&b, "  %s\n", plan.Object{Rule: &n.Rules[j]})
		}
		for j := range n.Neighbors {
			fmt.Fprintf(&b, "  %s\n", plan.Object{Neighbor: &n.Neighbors[j]})
		}
		for j := range n.Tables {
			fmt.Fprintf(&b, "  %s\n", plan.Object{Table: &n.Tables[j]})
		}
	}
	return b.String()
}

func orWord(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
