package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

// share gives n things, a batch at a time, to a worker with the lookout's connection and, where there is enough for two, to a
// second one with a connection of its own. A worker whose work says false takes no more.
func (l *lookout) share(n, batch int, work func(conn *nl.Conn, from, end int) bool) {
	var next atomic.Int64
	worker := func(conn *nl.Conn) {
		for l.ctx.Err() == nil {
			end := int(next.Add(int64(batch)))
			if end-batch >= n || !work(conn, end-batch, min(end, n)) {
				return
			}
		}
	}
	var wg sync.WaitGroup
	if n > 2*batch && runtime.GOMAXPROCS(0) > 1 {
		if second, err := l.viewer.Netlink(unix.NETLINK_ROUTE); err == nil {
			defer second.Close()
			wg.Go(func() { worker(second) })
		}
	}
	worker(l.conn)
	wg.Wait()
}
