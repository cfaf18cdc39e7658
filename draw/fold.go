package draw

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A row is a room, or several that are alike and numbered.
type row struct {
	room
	members []room // nil when not folded
}

// fold makes one row of runs of rooms that differ in nothing but a number in their names and their addresses. A run
// shorter than least stays as it is; least < 2 folds nothing.
func fold(rooms []room, least int) []row {
	var rows []row
	for i := 0; i < len(rooms); {
		k := i + 1
		for k < len(rooms) && follows(rooms[k-1], rooms[k]) {
			k++
		}
		if least > 1 && k-i >= least {
			rows = append(rows, folded(rooms[i:k]))
		} else {
			k = i + 1
			rows = append(rows, row{room: rooms[i]})
		}
		i = k
	}
	return rows
}

// follows reports whether b's name is a's with the next number, and b is otherwise like a.
func follows(a, b room) bool {
	pa, na, sa := numbered(a.name)
	pb, nb, sb := numbered(b.name)
	x, errA := strconv.ParseUint(na, 10, 63)
	y, errB := strconv.ParseUint(nb, 10, 63)
	if errA != nil || errB != nil || pa != pb || sa != sb || y != x+1 || len(nb) < len(na) || len(na) != len(nb) && na[0] == '0' {
		return false
	}
	return a.forwards == b.forwards && a.detail == b.detail && slices.Equal(a.others, b.others) &&
		slices.EqualFunc(a.plugs, b.plugs, func(p, q plug) bool {
			return p.net == q.net && p.mtu == q.mtu && p.down == q.down && len(p.addrs) == len(q.addrs)
		})
}

// numbered cuts a name around its last number.
func numbered(name string) (prefix, digits, suffix string) {
	end := strings.LastIndexAny(name, "0123456789") + 1
	start := end
	for start > 0 && name[start-1] >= '0' && name[start-1] <= '9' {
		start--
	}
	return name[:start], name[start:end], name[end:]
}

func folded(members []room) row {
	first, last := members[0], members[len(members)-1]
	prefix, from, suffix := numbered(first.name)
	_, to, _ := numbered(last.name)
	r := row{room: first, members: members}
	r.name = fmt.Sprintf("%s[%s-%s]%s", prefix, from, to, suffix)
	return r
}

// addresses writes the addresses of the k-th plug: of a folded row the first and the last one, and whether all between
// them are taken in order.
func (r row) addresses(k int) string {
	if r.members == nil {
		return join(r.plugs[k].addrs)
	}
	var parts []string
	for i, first := range r.plugs[k].addrs {
		last := r.members[len(r.members)-1].plugs[k].addrs[i]
		if consecutive(r.members, k, i) {
			parts = append(parts, first.Addr().String()+"-"+last.String())
		} else {
			parts = append(parts, first.String()+" ... "+last.String())
		}
	}
	return strings.Join(parts, " ")
}

func consecutive(members []room, plug, addr int) bool {
	want := members[0].plugs[plug].addrs[addr]
	for _, m := range members {
		if m.plugs[plug].addrs[addr] != want {
			return false
		}
		want = netip.PrefixFrom(want.Addr().Next(), want.Bits())
	}
	return true
}

func join(list []netip.Prefix) string {
	parts := make([]string, len(list))
	for i, p := range list {
		parts[i] = p.String()
	}
	return strings.Join(parts, " ")
}
