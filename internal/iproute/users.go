package iproute

import (
	"os/user"
	"strconv"
)

// userName is a user's name, or its number.
func userName(id uint32) string {
	n := strconv.FormatUint(uint64(id), 10)
	if u, err := user.LookupId(n); err == nil {
		return u.Username
	}
	return n
}

// unixGroupName is a group's name, or its number.
func unixGroupName(id uint32) string {
	n := strconv.FormatUint(uint64(id), 10)
	if g, err := user.LookupGroupId(n); err == nil {
		return g.Name
	}
	return n
}
