package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

const (
	// keptSearches is how many searches go through the names that were opened for the first of them. In a namespace that knows
	// few others the kernel tells an id in a microsecond; to make a roster of a thousand takes it 13 ms.
	keptSearches = 8
	// maxKept is how many names are held open at most.
	maxKept = 2048
	// keptBatch is how many names a worker tries at a time.
	keptBatch = 64
)

// kept are names that were opened for a search, for the searches after it.
type kept struct {
	searches int
	keys     []string
	fds      []int // 0 = not opened yet, -1 = cannot be
}

func (p *kept) close() {
	for _, fd := range p.fds {
		if fd > 0 {
			_ = unix.Close(fd)
		}
	}
	*p = kept{}
}

// tryKept tries the names by their order, with two workers. It reports false when they are too many, or a roster is better.
func (l *lookout) tryKept() bool {
	r := &l.k.roster
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &r.kept
	if p.searches++; p.searches > keptSearches {
		return false
	}
	if p.searches == 1 {
		if keys := l.k.allKeys(); len(keys) <= maxKept {
			p.keys, p.fds = keys, make([]int, len(keys))
		}
	}
	if len(p.keys) == 0 {
		return false
	}
	var next, found atomic.Int64
	hits := make([]bool, len(p.keys))
	wanted := l.left
	work := func(conn *nl.Conn) {
		for l.ctx.Err() == nil && int(found.Load()) < wanted {
			end := int(next.Add(keptBatch))
			if end-keptBatch >= len(p.keys) {
				return
			}
			found.Add(l.tryPart(conn, p, end-keptBatch, min(end, len(p.keys)), hits))
		}
	}
	var wg sync.WaitGroup
	if runtime.GOMAXPROCS(0) > 1 {
		if second, err := l.viewer.Netlink(unix.NETLINK_ROUTE); err == nil {
			defer second.Close()
			wg.Go(func() { work(second) })
		}
	}
	work(l.conn)
	wg.Wait()
	for i, hit := range hits {
		if hit {
			l.keys(p.keys[i : i+1])
		}
	}
	return true
}

// tryPart tries the names from one position to another, and returns how many are wanted.
func (l *lookout) tryPart(conn *nl.Conn, p *kept, from, to int, hits []bool) (found int64) {
	var at, fds []int
	for i := from; i < to; i++ {
		if p.fds[i] == 0 {
			p.fds[i] = -1
			if _, open := l.k.peek(p.keys[i : i+1]); len(open) > 0 {
				p.fds[i] = open[0]
			}
		}
		if p.fds[i] > 0 {
			at, fds = append(at, i), append(fds, p.fds[i])
		}
	}
	for i, id := range idsOf(conn, fds) {
		if l.want[id] {
			hits[at[i]] = true
			found++
		}
	}
	return found
}
