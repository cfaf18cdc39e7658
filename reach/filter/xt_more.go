package filter

import "warren/state"

// Bits of owner (XT_OWNER_*).
const (
	ownerUID    = 1
	ownerGID    = 2
	ownerSocket = 4
	ownerGroups = 8
)

// xtOwner follows owner_mt in net/netfilter/xt_owner.c: a forwarded packet has no socket, what the kernel sends by itself one
// that nobody holds.
func (e *eval) xtOwner(x *state.XTOwner) (outcome, string) {
	own := e.hook.Name == "output" || e.hook.Name == "postrouting" && e.hook.In == nil
	switch {
	case !own:
		return truth(x.Match == x.Invert), ""
	case x.Match&x.Invert&ownerSocket != 0:
		return no, ""
	case !e.p.HasSocket:
		return truth((x.Match^x.Invert)&(ownerUID|ownerGID) == 0), ""
	}
	in := func(v uint32, r [2]uint32) bool { return v >= r[0] && v <= r[1] }
	if x.Match&ownerUID != 0 && in(e.p.UID, x.UID) == (x.Invert&ownerUID != 0) {
		return no, ""
	}
	if x.Match&ownerGID == 0 {
		return yes, ""
	}
	found := in(e.p.GID, x.GID)
	if e.p.NoGID || !found && x.Match&ownerGroups != 0 {
		return maybe, "the groups of who sends it are not known"
	}
	return truth(found != (x.Invert&ownerGID != 0)), ""
}

func xtTTL(x *state.XTTTL, ttl uint8) outcome {
	switch x.Op {
	case "==":
		return truth(ttl == x.Value)
	case "!=":
		return truth(ttl != x.Value)
	case "<":
		return truth(ttl < x.Value)
	case ">":
		return truth(ttl > x.Value)
	}
	return maybe
}

// inGroup compares a device's group (devgroup_mt); a device that is not there is in none.
func inGroup(dev *state.Link, x *state.XTMark) bool {
	if x == nil {
		return true
	}
	return dev != nil && ((dev.Group^x.Value)&x.Mask == 0) != x.Inverted
}

func newTTL(x *state.XTSetTTL, ttl uint8) uint8 {
	switch x.Op {
	case "inc":
		return uint8(min(int(ttl)+int(x.Value), 255))
	case "dec":
		return uint8(max(int(ttl)-int(x.Value), 0))
	}
	return x.Value
}
