package iproute

import "strconv"

// Numbers that have names (rt_tables, rt_protos, rt_scopes of iproute2); files that change them are not read.
func tableNames() map[uint32]string {
	return map[uint32]string{0: "unspec", 253: "default", 254: "main", 255: "local"}
}

func protocolNames() map[uint8]string {
	return map[uint8]string{
		0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 10: "mrt", 11: "zebra", 12: "bird",
		13: "dnrouted", 14: "xorp", 15: "ntk", 16: "dhcp", 18: "keepalived", 42: "babel", 186: "bgp", 187: "isis", 188: "ospf", 189: "rip", 192: "eigrp",
	}
}

func scopeNames() map[uint8]string {
	return map[uint8]string{0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
}

func tableName(s *session, id uint32) string {
	if n, ok := tableNames()[id]; ok && !s.opt.numeric {
		return n
	}
	return strconv.FormatUint(uint64(id), 10)
}

func protocolName(s *session, id uint8) string {
	if n, ok := protocolNames()[id]; ok && !s.opt.numeric {
		return n
	}
	return strconv.Itoa(int(id))
}

func scopeName(s *session, id uint8) string {
	if n, ok := scopeNames()[id]; ok && !s.opt.numeric {
		return n
	}
	return strconv.Itoa(int(id))
}

// tableWord reads a routing table.
func tableWord(word string) uint32 {
	for id, name := range tableNames() {
		if name == word {
			return id
		}
	}
	return u32(word, "invalid table ID\n")
}

// protocolWord and scopeWord read a name or number.
func protocolWord(word string) uint8 {
	for id, name := range protocolNames() {
		if name == word {
			return id
		}
	}
	return u8(word, "\"protocol\" value is invalid\n")
}

func scopeWord(word string) uint8 {
	for id, name := range scopeNames() {
		if name == word {
			return id
		}
	}
	return u8(word, "invalid \"scope\" value.")
}
