package iproute

// A mode is a number's word.
type mode struct {
	name  string
	value uint32
}

// macvlanModes are MACVLAN_MODE_* (linux/if_link.h).
func macvlanModes() []mode {
	return []mode{{"private", 1}, {"vepa", 2}, {"bridge", 4}, {"passthru", 8}, {"source", 16}}
}
