package warren

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"warren/topo"
)

// Publish publishes ports of a node at the host. A port that is taken is an error that names its owner: another node
// (ErrExist), another lab ([plan.CollisionError]), or somebody's process.
func (w *Warren) Publish(ctx context.Context, node string, ports []topo.Publish, o EditOptions) (*EditReport, error) {
	return w.apply(ctx, edit{
		EditOptions: o,
		change: func(e *topo.Editor, _ *topo.Expanded, report *EditReport) error {
			return publish(e, node, ports, report)
		},
		touched: func() []string { return []string{node} },
	})
}

func publish(e *topo.Editor, node string, ports []topo.Publish, report *EditReport) error {
	if len(ports) > 0 && e.HasNode(node) && !slices.ContainsFunc(e.NetsOf(node), func(net string) bool { return e.Net(net).Uplink != nil }) {
		hint := ""
		if e.Net(topo.DefaultNet) != nil {
			hint = fmt.Sprintf(" (hint: warren connect %s %s)", node, topo.DefaultNet)
		}
		return fmt.Errorf("publish %s of node %q: it is on no net with a way out%s", ports[0], node, hint)
	}
	for _, p := range ports {
		if err := e.Publish(node, p); err != nil {
			return err
		}
		report.Published = append(report.Published, Port{Node: node, Port: p.String()})
	}
	return nil
}

// A PortMatch says which published ports are meant: all that is said must hold.
type PortMatch struct {
	// Publish is the port as it was published, when Whole is set.
	Publish topo.Publish
	Whole   bool
	// Host and Proto are of the host's side; the zero Host is any, "" any protocol.
	Host  topo.Ports
	Proto string
}

func (m PortMatch) matches(p topo.Publish) bool {
	if m.Whole {
		return p == m.Publish
	}
	return (m.Host.IsZero() || m.Host == p.Host) && (m.Proto == "" || m.Proto == p.Proto)
}

// Unpublish takes published ports of a node back; no match = all of them. A match that nothing answers to is ErrNotExist.
func (w *Warren) Unpublish(ctx context.Context, node string, matches []PortMatch, o EditOptions) (*EditReport, error) {
	if len(matches) == 0 {
		matches = []PortMatch{{}}
	}
	return w.apply(ctx, edit{
		EditOptions: o,
		change: func(e *topo.Editor, _ *topo.Expanded, report *EditReport) error {
			before := e.Published(node)
			for _, m := range matches {
				gone, err := e.Unpublish(node, m.matches)
				if err != nil {
					return err
				}
				if len(gone) == 0 {
					return &editError{fmt.Errorf("node %q of lab %q has not published that port (hint: %s)", node, o.lab(), publishedText(before)), ErrNotExist}
				}
				for _, p := range gone {
					report.Unpublished = append(report.Unpublished, Port{Node: node, Port: p.String()})
				}
			}
			return nil
		},
		touched: func() []string { return []string{node} },
	})
}

func publishedText(list []topo.Publish) string {
	if len(list) == 0 {
		return "the node has none"
	}
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	slices.Sort(out)
	return "it has " + strings.Join(out, ", ")
}
