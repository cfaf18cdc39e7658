package iproute

// Objects that are refused where the kernel has their part: their help says so, and not which words iproute2 would take.
const (
	fouUsage    = `Usage: ip fou { add | del | show }` + notSpoken
	ilaUsage    = `Usage: ip ila { add | del | list }` + notSpoken
	l2tpUsage   = `Usage: ip l2tp { add | del | show } { tunnel | session }` + notSpoken
	macsecUsage = `Usage: ip macsec { add | set | del | show | offload }` + notSpoken

	notSpoken = `
Not supported: where the kernel has it, iproute2 is needed.`
)

// kernelObject is an object whose part of the kernel is asked for before its words are looked at, as iproute2 does it: where the
// kernel does not have it the answer is the kernel's. Where it has, the object is refused.
func kernelObject(name, family, usage string) func(*session, *words) {
	return func(s *session, w *words) {
		if !w.more() || matches(w.peek(), "help") {
			usageOf(usage)
		}
		s.family(family)
		unknownObject(name)(s, w)
	}
}
