package reach

import (
	"fmt"

	"warren/state"
)

// pvid is the VLAN of untagged frames of a port (or the bridge itself); 0 = none.
func (r *room) pvid(link string) uint16 {
	for i := range r.VLANs {
		if v := &r.VLANs[i]; v.Link == link && v.PVID {
			return v.First
		}
	}
	return 0
}

func (r *room) vlanOf(link string, id uint16) *state.PortVLAN {
	for i := range r.VLANs {
		if v := &r.VLANs[i]; v.Link == link && id >= v.First && id <= max(v.First, v.Last) {
			return v
		}
	}
	return nil
}

func (r *room) vlanMember(link string, id uint16) bool { return r.vlanOf(link, id) != nil }

// vlanIngress puts a frame into its VLAN (br_allowed_ingress).
func (s *search) vlanIngress(r *room, br, port *state.Link, f *frame, tr *trail) {
	if !on(bridgeOf(br).VLANFiltering, false) {
		return
	}
	if !r.reads(state.PartVLANs) {
		tr.doubt(r, "bridge", Doubt{Object: "link " + br.Name, Text: "VLAN filtering is on and its table was not read"}, false)
		return
	}
	f.bvlan, f.vlan = f.vlan, 0
	if f.bvlan == 0 {
		f.bvlan = r.pvid(port.Name)
		if f.bvlan == 0 {
			tr.stop(r, "bridge", Reason{
				Code: VLANNoPVID, Object: "port " + port.Name, Text: fmt.Sprintf("port %s has no VLAN for untagged frames", port.Name),
				Facts: facts(fact("RTM_GETLINK AF_BRIDGE", "%s has no PVID; %s filters VLANs", port.Name, br.Name)),
				Fix:   fix(fmt.Sprintf("bridge -n %s vlan add dev %s vid 1 pvid untagged", r.ref(), port.Name)),
			})
			f.bvlan = 1
		}
		return
	}
	if !r.vlanMember(port.Name, f.bvlan) {
		tr.stop(r, "bridge", vlanReason(r, port.Name, f.bvlan, "port "+port.Name))
	}
}

// vlanEgress checks that a port is in the frame's VLAN, and tags it (br_allowed_egress, br_handle_vlan).
func (s *search) vlanEgress(r *room, br, port *state.Link, f *frame, tr *trail) {
	if !on(bridgeOf(br).VLANFiltering, false) {
		return
	}
	v := r.vlanOf(port.Name, f.bvlan)
	switch {
	case v == nil:
		tr.stop(r, "bridge", vlanReason(r, port.Name, f.bvlan, "port "+port.Name))
	case !v.Untagged:
		f.vlan = f.bvlan
	}
	f.bvlan = 0
}

func vlanReason(r *room, link string, id uint16, who string) Reason {
	return Reason{
		Code: VLANMismatch, Object: "port " + link, Text: fmt.Sprintf("%s is not in VLAN %d", who, id),
		Facts: facts(fact("RTM_GETLINK AF_BRIDGE", "%s is not in VLAN %d", link, id)),
		Fix:   fix(fmt.Sprintf("bridge -n %s vlan add dev %s vid %d", r.ref(), link, id)),
	}
}
