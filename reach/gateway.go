package reach

import "warren/state"

// manyNeighbours is from when on those behind a bridge are not looked at for a gateway.
const manyNeighbours = 16

// neighbours has the namespaces looked at that are on the other ends of a namespace's cables, and behind the bridges there: one of
// them may be the gateway that a route could go by.
func (t *tracer) neighbours(r *room) {
	if t.flow.Complete || len(r.Links) > manyNeighbours {
		return
	}
	for i := range r.Links {
		l := &r.Links[i]
		if !l.Up || l.Peer == nil || l.Kind != "veth" || l.Thin {
			continue
		}
		far := t.farRoom(r, l.Peer)
		if far == nil {
			continue
		}
		end := far.byIndex[l.Peer.Index]
		if end == nil || end.Master == "" {
			continue
		}
		ports := far.ports(&state.Link{Name: end.Master})
		if len(ports) > manyNeighbours {
			continue
		}
		for _, p := range ports {
			if p != end && p.Peer != nil && p.Kind == "veth" && !p.Thin {
				t.farRoom(far, p.Peer)
			}
		}
	}
}
