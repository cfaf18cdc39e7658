package iproute

import "golang.org/x/sys/unix"

// mruleObject is "ip mrule": the rules that find the table of a multicast route. Their families are their own.
func mruleObject(s *session, w *words) {
	defer func(family int) { s.opt.family = family }(s.opt.family)
	switch s.opt.family {
	case unix.AF_UNSPEC, unix.AF_INET:
		s.opt.family = familyIPMR
	case unix.AF_INET6:
		s.opt.family = familyIP6MR
	default:
		die("Multicast rules are only supported for IPv4/IPv6, was: %d", s.opt.family)
	}
	ruleObject(s, w)
}
