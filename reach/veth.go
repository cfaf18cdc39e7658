package reach

import (
	"fmt"

	"warren/state"
)

// vlanRoom is what a veth and a bridge port allow above their MTU: a VLAN tag (is_skb_forwardable).
const vlanRoom = 4

// veth hands a frame to the other end.
func (s *search) veth(r *room, dev *state.Link, f frame, tr trail) {
	far, peer, ok := s.t.peer(r, dev.Peer, dev, &tr)
	if !ok {
		s.got = append(s.got, reception{r: r, dev: dev, frame: f, trail: tr, out: true})
		return
	}
	s.t.touch(far)
	if !peer.Up {
		tr.stop(far, "link", Reason{
			Code: PeerDown, Object: "link " + peer.Name,
			Text:  fmt.Sprintf("%s, the other end of %s in %q, is down", peer.Name, dev.Name, r.name()),
			Facts: facts(fact("RTM_GETLINK", "%s in %q is not up", peer.Name, far.name()), fact("RTM_GETLINK", "%s in %q has no carrier", dev.Name, r.name())),
			Fix:   fix(far.ip("link set %s up", peer.Name)),
		})
	}
	if n := f.length(); peer.MTU != 0 && n > int(peer.MTU)+vlanRoom {
		tr.stop(far, "mtu", Reason{
			Code: MTUPeer, Object: "link " + peer.Name,
			Text: fmt.Sprintf("%s takes frames with up to %d bytes of IP (its mtu %d and 4); the packet has %d, and nobody is told", peer.Name,
				peer.MTU+vlanRoom, peer.MTU, n),
			Facts: facts(fact("RTM_GETLINK", "mtu of %s in %q is %d", peer.Name, far.name(), peer.MTU), fact("RTM_GETLINK", "mtu of %s in %q is %d", dev.Name, r.name(), dev.MTU)),
			Fix:   fix(far.ip("link set %s mtu %d", peer.Name, dev.MTU), r.ip("link set %s mtu %d", dev.Name, peer.MTU)),
		})
	}
	tr.step(r, "link", "link "+dev.Name, "%s ==veth==> %s:%s", dev.Name, far.name(), peer.Name)
	f.left(far != r)
	s.rx(far, peer, f, tr)
}
