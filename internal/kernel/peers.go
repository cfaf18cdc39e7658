package kernel

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/state"
)

// A veth tells the index of its other end and the id of the namespace in which that is; ids mean something only in the
// namespace that they are asked in, and indexes are equal everywhere (the first link of every node is 2). So the ends are
// matched in two steps: candidates are links of other namespaces whose index and peer's index mirror ours, and a candidate
// is right when the kernel says that its namespace has our peer's id (RTM_GETNSID with a descriptor). With many candidates
// it is cheaper to ask who is behind the id: RTM_GETLINK goes there too, and the mark on lo tells.

// manyCandidates is from when on that is cheaper.
const manyCandidates = 4

// An end is a link whose other side is in another namespace.
type end struct {
	r    *reading
	link *state.Link
	peer *state.Peer
}

// mirror is what two ends of a veth see of each other, from the first one's side.
type mirror struct{ index, peer int }

type peerFinder struct {
	ends    []end
	mirrors map[mirror][]int // positions in ends
	marked  map[state.Mark]*reading
	ids     map[*reading]map[int]*reading // viewer -> id -> namespace; nil = nobody that was read
	hub     *hub                          // answers instead of all that, when there is one
}

// resolvePeers fills NS and Name of the peers that are in namespaces which were read.
func (o *observation) resolvePeers() {
	f := &peerFinder{mirrors: map[mirror][]int{}, marked: map[state.Mark]*reading{}, ids: map[*reading]map[int]*reading{}}
	for i := range o.readings {
		r := &o.readings[i]
		if m := r.ns.Mark; !m.IsZero() {
			if other, ok := f.marked[m]; ok && other.ns.Cookie != r.ns.Cookie {
				r = nil // the mark tells nothing
			}
			f.marked[m], r = r, &o.readings[i]
		}
		for j := range r.ns.Links {
			f.add(r, &r.ns.Links[j])
		}
	}
	if len(f.ends) > 0 || anywhere(o.query, state.PartNSIDs) {
		f.hub = o.newHub()
		defer f.hub.close()
	}
	// Those with the fewest ends ask first: the kernel looks ids up one by one, and a switch has one for every node.
	order := make([]int, len(f.ends))
	count := map[*reading]int{}
	for i, e := range f.ends {
		order[i] = i
		count[e.r]++
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(count[f.ends[a].r], count[f.ends[b].r]) })
	for _, i := range order {
		f.find(f.ends[i])
	}
	if anywhere(o.query, state.PartNSIDs) {
		o.nameIDs(f)
		o.nameViewers()
	}
	if o.query.Everywhere {
		f.nameUnopened()
	}
}

// errNoWayIn is why a namespace that others know was not read.
var errNoWayIn = errors.New("nothing that can be opened leads there")

// nameUnopened names the peers in namespaces that could not be opened: their neighbours can look at their links
// (IFLA_TARGET_NETNSID). They are told as unread, by the ids that they have.
func (f *peerFinder) nameUnopened() {
	told := map[*reading]map[int]bool{}
	for _, e := range f.ends {
		if e.peer.NS != "" {
			continue
		}
		there := false
		for _, m := range e.r.conn.Exchange([]nl.Request{inNSID(rtnl.GetLinkIndex(e.peer.Index), e.peer.NSID)})[0].Messages {
			if l, err := rtnl.DecodeLink(m.Data, nil); err == nil {
				e.peer.Name, there = l.Name, true
			}
		}
		if !there {
			continue // gone meanwhile
		}
		if told[e.r] == nil {
			told[e.r] = map[int]bool{}
		}
		if !told[e.r][e.peer.NSID] {
			told[e.r][e.peer.NSID] = true
			e.r.miss(fmt.Sprintf("the namespace that it knows as id %d", e.peer.NSID), errNoWayIn)
		}
	}
}

func (f *peerFinder) add(r *reading, l *state.Link) {
	if p := l.Peer; p != nil && p.NSID < 0 {
		p.NS = r.place.key
	}
	if p := l.Lower; p != nil && p.NSID < 0 {
		p.NS = r.place.key
	}
	p := farPeer(l)
	if p == nil || r.conn == nil {
		return
	}
	if l.Peer != nil {
		m := mirror{l.Index, p.Index}
		f.mirrors[m] = append(f.mirrors[m], len(f.ends))
	}
	f.ends = append(f.ends, end{r, l, p})
}

func (f *peerFinder) find(e end) {
	if e.peer.NS != "" {
		return
	}
	if e.link.Peer == nil { // a lower link elsewhere: whoever has that id
		if r := f.known(e.r, e.peer.NSID); r != nil {
			e.peer.NS = r.place.key
			e.peer.Name, _ = r.names.Name(e.peer.Index)
		}
		return
	}
	candidates := f.mirrors[mirror{e.peer.Index, e.link.Index}]
	if len(candidates) == 0 {
		return
	}
	r := f.behind(e, candidates)
	if r == nil {
		return
	}
	for _, i := range candidates {
		if c := f.ends[i]; c.r == r {
			e.peer.NS, e.peer.Name = r.place.key, c.link.Name
			c.peer.NS, c.peer.Name = e.r.place.key, e.link.Name
		}
	}
}

// behind says which of the candidates' namespaces is behind the id of an end's peer.
func (f *peerFinder) behind(e end, candidates []int) *reading {
	if f.hub != nil {
		return f.hub.behind(e.r)[e.peer.NSID]
	}
	if r, ok := f.ids[e.r][e.peer.NSID]; ok && r != nil {
		return r
	}
	if len(candidates) >= manyCandidates {
		if r := f.known(e.r, e.peer.NSID); r != nil {
			return r
		}
	}
	var asked []*reading
	for _, i := range candidates {
		if r := f.ends[i].r; r != e.r && !slices.Contains(asked, r) {
			asked = append(asked, r)
		}
	}
	f.ask(e.r, asked)
	return f.ids[e.r][e.peer.NSID]
}

// known asks through the viewer's socket whose lo is behind an id.
func (f *peerFinder) known(viewer *reading, id int) *reading {
	if f.hub != nil {
		return f.hub.behind(viewer)[id]
	}
	if r, ok := f.ids[viewer][id]; ok {
		return r
	}
	var found *reading
	for _, m := range viewer.conn.Exchange([]nl.Request{inNSID(rtnl.GetLinkIndex(loopbackIndex), id)})[0].Messages {
		if lo, err := rtnl.DecodeLink(m.Data, nil); err == nil {
			found = f.marked[markOf([]state.Link{lo})]
		}
	}
	f.learn(viewer, id, found)
	return found
}

func (f *peerFinder) learn(viewer *reading, id int, r *reading) {
	if f.ids[viewer] == nil {
		f.ids[viewer] = map[int]*reading{}
	}
	f.ids[viewer][id] = r
}

// nameIDs finds the namespaces behind the ids that were read, as far as they were read too: by their marks, and those
// without one by asking.
func (o *observation) nameIDs(f *peerFinder) {
	if f.hub != nil {
		for i := range o.readings {
			r := &o.readings[i]
			for j := range r.ns.NSIDs {
				if known := f.known(r, r.ns.NSIDs[j].ID); known != nil {
					r.ns.NSIDs[j].NS = known.place.key
				}
			}
		}
		return
	}
	var unmarked, marked []*reading
	for i := range o.readings {
		r := &o.readings[i]
		switch {
		case r.handle == nil:
		case r.ns.Mark.IsZero() || f.marked[r.ns.Mark] == nil:
			unmarked = append(unmarked, r)
		default:
			marked = append(marked, r)
		}
	}
	for i := range o.readings {
		r := &o.readings[i]
		if r.conn == nil || len(r.ns.NSIDs) == 0 {
			continue
		}
		f.ask(r, unmarked)
		// Whoever is asked for by descriptor need not be looked for behind each id.
		few := len(marked) <= len(r.ns.NSIDs)
		if few {
			f.ask(r, marked)
		}
		for j := range r.ns.NSIDs {
			known, ok := f.ids[r][r.ns.NSIDs[j].ID]
			if !ok && !few {
				known = f.known(r, r.ns.NSIDs[j].ID)
			}
			if known != nil {
				r.ns.NSIDs[j].NS = known.place.key
			}
		}
	}
}

// nameViewers says under which ids those who were looked for know those from where they were looked for: one side of a cable may
// not have been read so far that it leads to the other.
func (o *observation) nameViewers() {
	fds := make([]int, len(o.viewers))
	for i, v := range o.viewers {
		fds[i] = v.handle.FD()
	}
	for i := range o.readings {
		r := &o.readings[i]
		if r.conn == nil || len(r.ns.NSIDs) == 0 || len(fds) == 0 {
			continue
		}
		for j, id := range idsOf(r.conn, fds) {
			if at := slices.IndexFunc(r.ns.NSIDs, func(n state.NSID) bool { return n.ID == id }); at >= 0 {
				r.ns.NSIDs[at].NS = o.viewers[j].key
			}
		}
	}
}

// ask asks under which ids a viewer knows namespaces.
func (f *peerFinder) ask(viewer *reading, list []*reading) {
	reqs := make([]nl.Request, len(list))
	for i, r := range list {
		reqs[i] = rtnl.GetNSID(r.handle.FD())
	}
	for i, res := range viewer.conn.Query(reqs) {
		for _, m := range res.Messages {
			if id, err := rtnl.DecodeNSID(m.Data); err == nil && id >= 0 {
				f.learn(viewer, id, list[i])
			}
		}
	}
}

// inNSID asks in the namespace that the socket's one knows by that id (IFLA_TARGET_NETNSID, Linux 4.16 for reading).
func inNSID(r nl.Request, id int) nl.Request {
	r.Data = appendU32(r.Data, unix.IFLA_TARGET_NETNSID, uint32(id))
	return r
}

// appendU32 adds a number of the machine's order to a request's body.
func appendU32(body []byte, typ uint16, v uint32) []byte {
	return appendAttr(body, typ, binary.NativeEndian.AppendUint32(nil, v))
}

// appendAttr adds an attribute to a request's body (netlink(7)).
func appendAttr(body []byte, typ uint16, data []byte) []byte {
	body = binary.NativeEndian.AppendUint16(slices.Clip(body), uint16(unix.SizeofRtAttr+len(data)))
	body = append(binary.NativeEndian.AppendUint16(body, typ), data...)
	for len(body)%unix.RTA_ALIGNTO != 0 {
		body = append(body, 0)
	}
	return body
}
