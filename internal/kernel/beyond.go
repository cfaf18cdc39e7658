package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// beyondBatch is how many namespaces are open at once while one of them is looked for, see [searchBatch].
const beyondBatch = 2 * searchBatch

// findBeyond finds the namespaces that others know by an id. The cheapest ways come first, each checked by asking for the
// id of what was opened: what was found behind that id before; by the mark on its lo; among the namespaces that the query
// names or says to be known; among all names (after some searches by the roster); among those of processes; and at
// last in a survey of the host, which finds all that can be found. One that is not found is told as unread.
func (k *Kernel) findBeyond(ctx context.Context, q state.Query, asked *[]viewer) (places []place, behind []state.Behind, unread []state.Unread) {
	byViewer := map[string][]int{}
	var viewers []string
	for _, b := range q.Beyond {
		if byViewer[b.NS] == nil {
			viewers = append(viewers, b.NS)
		}
		byViewer[b.NS] = append(byViewer[b.NS], b.ID)
	}
	for _, a := range q.Asks {
		if !slices.Contains(viewers, a.NS) {
			viewers = append(viewers, a.NS)
		}
	}
	for _, key := range viewers {
		l := &lookout{k: k, ctx: ctx, query: q, want: map[int]bool{}}
		for _, id := range byViewer[key] {
			l.want[id] = true
		}
		if err := l.open(key); err != nil {
			if !errors.Is(err, netns.ErrNotExist) {
				unread = append(unread, state.Unread{NS: key, Object: "namespace", Reason: err.Error()})
			}
			continue
		}
		for _, id := range l.having(key) {
			if !l.want[id] {
				l.want[id] = true
				l.left++
				byViewer[key] = append(byViewer[key], id)
			}
		}
		l.look()
		places = append(places, l.found...)
		for _, b := range l.behind {
			behind = append(behind, state.Behind{NSIDOf: state.NSIDOf{NS: key, ID: b.ID}, Key: b.Key})
		}
		for _, id := range byViewer[key] {
			if l.want[id] {
				l.want[id] = false
				unread = append(unread, state.Unread{NS: key, Object: fmt.Sprintf("the namespace that it knows as id %d", id), Reason: errNoWayIn.Error()})
			}
		}
		_ = l.conn.Close()
		*asked = append(*asked, viewer{key, l.viewer})
	}
	return places, behind, unread
}

// A viewer is a namespace from which others were looked for.
type viewer struct {
	key    string
	handle *netns.Handle
}

// A lookout looks from one namespace for those that it knows by ids.
type lookout struct {
	k      *Kernel
	ctx    context.Context //nolint:containedctx // of one call
	query  state.Query
	viewer *netns.Handle
	conn   *nl.Conn
	want   map[int]bool
	left   int
	found  []place
	behind []state.Behind
}

func (l *lookout) open(key string) error {
	h, err := l.k.Open(l.ctx, key)
	if err != nil {
		return err
	}
	if l.conn, err = h.Netlink(unix.NETLINK_ROUTE); err != nil {
		return errors.Join(err, h.Close())
	}
	l.viewer, l.left = h, len(l.want)
	return nil
}

func (l *lookout) look() {
	for id := range l.want { // the order does not matter: each is found or not by itself
		if key := l.k.remembered(l.viewer.Cookie(), id); key != "" {
			l.keys([]string{key})
		}
	}
	for id, wanted := range l.want {
		if wanted {
			l.keys(l.marked(id))
		}
	}
	l.keys(slices.Concat([]string{state.HostNS}, l.query.Names, l.query.Known))
	if l.left > 0 {
		l.names()
	}
	if l.left > 0 {
		l.processes()
	}
	if l.left > 0 {
		l.survey()
	}
}

// names tries everything that has a name. Who searches once will search again, a walk from hop to hop: after some searches the roster
// knows.
func (l *lookout) names() {
	for id, wanted := range l.want {
		if wanted && id >= sampledFrom && l.left <= sampledUpTo {
			l.sample(id)
		}
	}
	if l.left == 0 {
		return
	}
	names, again := l.k.namesToSearch()
	if !again {
		if ids, ok := l.k.rosterOf(l.ctx, l.viewer); ok {
			var keys []string
			for id, wanted := range l.want {
				if key := ids[id]; wanted && key != "" {
					keys = append(keys, key)
				}
			}
			l.keys(keys)
			return
		}
	}
	l.search(names)
}

// marked is the key by the mark on lo of the namespace behind an id.
func (l *lookout) marked(id int) []string {
	for _, m := range l.conn.Query([]nl.Request{inNSID(rtnl.GetLinkIndex(loopbackIndex), id)})[0].Messages {
		if lo, err := rtnl.DecodeLink(m.Data, nil); err == nil {
			if mark := markOf([]state.Link{lo}); !mark.IsZero() {
				return []string{mark.Lab + "." + mark.Node}
			}
		}
	}
	return nil
}

// keys tries namespaces by key, some at a time.
func (l *lookout) keys(keys []string) {
	for part := range slices.Chunk(keys, beyondBatch) {
		if l.left == 0 || l.ctx.Err() != nil {
			return
		}
		places := make([]place, 0, len(part))
		handles := make([]*netns.Handle, 0, len(part))
		for _, key := range part {
			p, err := l.k.place(key)
			if err != nil {
				continue
			}
			if h, err := l.k.openPlace(l.ctx, p); err == nil {
				places, handles = append(places, p), append(handles, h)
			}
		}
		l.compare(handles, func(i int) place { return places[i] })
	}
}

// compare asks which ids the namespaces have, and closes them. What is wanted is taken, as place says.
func (l *lookout) compare(handles []*netns.Handle, at func(i int) place) {
	fds := make([]int, len(handles))
	for i, h := range handles {
		fds[i] = h.FD()
	}
	for i, id := range idsOf(l.conn, fds) {
		if l.want[id] {
			l.want[id] = false
			l.left--
			p := at(i)
			l.k.remember(l.viewer.Cookie(), id, p.key)
			l.behind = append(l.behind, state.Behind{NSIDOf: state.NSIDOf{ID: id}, Key: p.key})
			if !slices.Contains(l.query.Known, p.key) {
				l.found = append(l.found, p)
				if p.handle != nil {
					handles[i] = nil // it is the place's now
				}
			}
		}
		if h := handles[i]; h != nil {
			_ = h.Close()
		}
	}
}

// take is the place of a namespace without a name: its key is its cookie, and it stays open. The next time it is looked
// for where it was now.
func (l *lookout) take(h *netns.Handle) place {
	key := "cookie:" + strconv.FormatUint(h.Cookie(), 10)
	l.k.hint(key, h.String())
	return place{key: key, handle: h}
}

// processes tries the namespaces of processes, each once.
func (l *lookout) processes() {
	seen := map[string]bool{}
	var handles []*netns.Handle
	flush := func() {
		list := handles
		handles = nil
		l.compare(list, func(i int) place { return l.take(list[i]) })
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		path := "/proc/" + e.Name() + "/ns/net"
		target, err := os.Readlink(path)
		if err != nil || seen[target] {
			continue
		}
		seen[target] = true
		h, err := netns.OpenPath(path)
		if err != nil {
			continue
		}
		if handles = append(handles, h); len(handles) == beyondBatch {
			flush()
		}
		if l.left == 0 {
			break
		}
	}
	flush()
}

// survey tries every namespace that can be found.
func (l *lookout) survey() {
	places, _, err := l.k.survey(l.ctx, state.Query{}, nil)
	if err != nil {
		return
	}
	var handles []*netns.Handle
	var open []place
	for _, p := range places {
		if p.found.Handle != nil {
			handles, open = append(handles, p.found.Handle), append(open, p)
		}
	}
	l.compare(handles, func(i int) place { return place{key: open[i].key, path: open[i].path, handle: handles[i]} })
}

// remember keeps who was behind an id; it is only ever a guess, since ids are given again.
func (k *Kernel) remember(viewer uint64, id int, key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.behind == nil || len(k.behind) > 1<<14 {
		k.behind = map[viewerID]string{}
	}
	k.behind[viewerID{viewer, id}] = key
}

func (k *Kernel) remembered(viewer uint64, id int) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.behind[viewerID{viewer, id}]
}

// A viewerID is an id in a namespace.
type viewerID struct {
	cookie uint64
	id     int
}
