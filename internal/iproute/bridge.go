package iproute

// bridgeObject runs the object that the first word is a beginning of, in bridge's order.
func bridgeObject(s *session, w *words) {
	objects := []verb{
		{"link", bridgeLink},
		{"fdb", fdbObject},
		{"mdb", unknownBridge("mdb")},
		{"vlan", unknownBridge("vlan")},
		{"vni", unknownBridge("vni")},
		{"monitor", unknownBridge("monitor")},
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

func unknownBridge(name string) func(*session, *words) {
	return func(*session, *words) {
		fail(exitUsage, "bridge %s is not supported by this version of warren: use iproute2's own bridge for it.", name)
	}
}
