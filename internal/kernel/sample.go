package kernel

import (
	"os"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// To ask a namespace that knows a thousand others which id it has for one takes the kernel 8 us, since it looks at all of them.
const (
	// sampledFrom is from which id on so many may be known that it is worth to guess first.
	sampledFrom = 32
	// sampledUpTo is up to how many ids are guessed one by one: that takes some fifty questions each.
	sampledUpTo = 6
	// samples is how many names are tried at a time.
	samples = 16
)

// sample looks for the namespace behind an id by the order of names: a directory in memory lists them in the order in which they
// were made, or the other way round, and those who were connected in that order have ids that grow with it. Where they do not
// nothing is found, and nothing is lost.
func (l *lookout) sample(want int) {
	names := l.k.namesAsMade()
	for lo, hi := 0, len(names); hi-lo > 0; {
		step := max(1, (hi-lo)/samples)
		var tried []int
		for i := lo; i < hi; i += step {
			tried = append(tried, i)
		}
		if last := tried[len(tried)-1]; last != hi-1 {
			tried = append(tried, hi-1)
		}
		keys := make([]string, len(tried))
		for i, at := range tried {
			keys[i] = names[at]
		}
		ids := l.idsAt(l.conn, keys)
		before, after := -1, -1 // positions next to each other, between whose ids the wanted one is
		prev := -1
		for i, id := range ids {
			switch {
			case id == want:
				l.keys(keys[i : i+1])
				return
			case id == rtnl.NoNSID:
				continue
			case prev >= 0 && (ids[prev] < want) != (id < want):
				before, after = tried[prev], tried[i]
			}
			prev = i
		}
		if before < 0 || step == 1 {
			return
		}
		lo, hi = before+1, after
	}
}

// idsAt asks for the ids of the namespaces with these names; of those that there are no more [rtnl.NoNSID].
func (l *lookout) idsAt(conn *nl.Conn, keys []string) []int {
	open, fds := l.k.peek(keys)
	got := idsOf(conn, fds)
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
	ids := make([]int, len(keys))
	next := 0
	for i, key := range keys {
		ids[i] = rtnl.NoNSID
		if next < len(open) && open[next] == key {
			ids[i] = got[next]
			next++
		}
	}
	return ids
}

// namesAsMade lists the names as their directory does.
func (k *Kernel) namesAsMade() []string {
	d, err := os.Open(k.cfg.NetnsDir)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1) // those that were read until then do
	return names
}
