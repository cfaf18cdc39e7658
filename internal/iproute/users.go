package iproute

import (
	"os/user"
	"strconv"
)

// printUser writes a user's name, in JSON the number of one without a name.
func printUser(p *printer, id uint32) {
	n := strconv.FormatUint(uint64(id), 10)
	if u, err := user.LookupId(n); err == nil {
		p.str("user", "user %s ", u.Username)
		return
	}
	num(p, "user", "user %d ", id)
}

// printGroup writes a group's name, in JSON the number of one without a name.
func printGroup(p *printer, id uint32) {
	n := strconv.FormatUint(uint64(id), 10)
	if g, err := user.LookupGroupId(n); err == nil {
		p.str("group", "group %s ", g.Name)
		return
	}
	num(p, "group", "group %d ", id)
}
