package iproute

// bridgeObject runs the object that the first word is a beginning of, in bridge's order.
func bridgeObject(s *session, w *words) {
	objects := []verb{
		{"link", bridgeLink},
		{"fdb", fdbObject},
		{"mdb", mdbObject},
		{"vlan", vlanObject},
		{"vni", vniObject},
		{"monitor", bridgeMonitor},
		{"help", func(*session, *words) { usageOf(bridgeUsage) }},
	}
	if !w.more() {
		usageOf(bridgeUsage)
	}
	word := w.peek()
	if !dispatch(s, w, objects) {
		fail(exitUsage, "Object \"%s\" is unknown, try \"bridge help\".", word)
	}
}

// bridgeDevice finds a link or ends the command with that sentence.
func (s *session) bridgeDevice(name, format string) uint32 {
	index := s.indexOf(name)
	if index == 0 {
		fail(exitFailed, format, name)
	}
	return uint32(index)
}

// unknownBridgeVerb ends the command as iproute2 does.
func unknownBridgeVerb(object, word string) {
	die("Command \"%s\" is unknown, try \"bridge %s help\".", word, object)
}
