package lab

import (
	"fmt"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// identity is what a process runs as.
type identity struct {
	uid, gid int
	groups   []int
}

// lookUp understands USER, UID, and either with ":GROUP" or ":GID". A number that nobody has is fine.
func lookUp(s string) (identity, error) {
	name, group, hasGroup := strings.Cut(s, ":")
	u, err := user.Lookup(name)
	if err != nil {
		u, err = user.LookupId(name)
	}
	var id identity
	if err == nil {
		if id.uid, err = strconv.Atoi(u.Uid); err != nil {
			return id, fmt.Errorf("user %q: %w", name, err)
		}
		if id.gid, err = strconv.Atoi(u.Gid); err != nil {
			return id, fmt.Errorf("user %q: %w", name, err)
		}
		groups, err := u.GroupIds()
		if err != nil {
			return id, fmt.Errorf("groups of user %q: %w", name, err)
		}
		for _, g := range groups {
			n, err := strconv.Atoi(g)
			if err != nil {
				return id, fmt.Errorf("groups of user %q: %w", name, err)
			}
			id.groups = append(id.groups, n)
		}
	} else {
		n, numErr := strconv.ParseUint(name, 10, 31)
		if numErr != nil {
			return id, err // "user: unknown user x"
		}
		id.uid, id.gid = int(n), int(n)
	}
	if !hasGroup {
		return id, nil
	}
	if n, err := strconv.ParseUint(group, 10, 31); err == nil {
		id.gid, id.groups = int(n), nil
		return id, nil
	}
	g, err := user.LookupGroup(group)
	if err != nil {
		return id, err
	}
	n, err := strconv.Atoi(g.Gid)
	if err != nil {
		return id, fmt.Errorf("group %q: %w", group, err)
	}
	id.gid, id.groups = n, nil
	return id, nil
}

// become changes the process, all threads of it, for good.
func (i identity) become() error {
	groups := i.groups
	if len(groups) == 0 {
		groups = []int{i.gid}
	}
	if err := syscall.Setgroups(groups); err != nil {
		return fmt.Errorf("set groups: %w", err)
	}
	if err := syscall.Setgid(i.gid); err != nil {
		return fmt.Errorf("set group: %w", err)
	}
	if err := syscall.Setuid(i.uid); err != nil {
		return fmt.Errorf("set user: %w", err)
	}
	return nil
}
