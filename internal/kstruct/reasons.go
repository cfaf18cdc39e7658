package kstruct

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// DropReasons are the running kernel's names of enum skb_drop_reason (linux/dropreason-core.h, Linux 5.17) without their
// prefix; the numbers differ between versions.
type DropReasons map[uint32]string

// DropReasons reads them. On older kernels there are none.
func (f *Fields) DropReasons() DropReasons {
	var e *btf.Enum
	if f.Spec.TypeByName("skb_drop_reason", &e) != nil {
		return nil
	}
	names := make(DropReasons, len(e.Values))
	for _, v := range e.Values {
		names[uint32(v.Value)] = strings.TrimPrefix(strings.TrimPrefix(v.Name, "SKB_DROP_REASON_"), "SKB_")
	}
	return names
}

// Name names a reason; those of subsystems (mac80211, openvswitch ...) have the subsystem in their upper half. A kernel that has no
// reasons specifies none.
func (r DropReasons) Name(n uint32) string {
	if len(r) == 0 {
		return "NOT_SPECIFIED"
	}
	if name, ok := r[n]; ok {
		return name
	}
	if n>>16 != 0 {
		return fmt.Sprintf("SUBSYSTEM_%d_%d", n>>16, n&0xffff)
	}
	return "REASON_" + strconv.FormatUint(uint64(n), 10)
}
