package kernel

import (
	"warren/netns"
	"warren/state"
)

// readProcesses finds who lives in the namespaces that were read, in one walk over /proc.
func (o *observation) readProcesses(s *state.Snapshot) error {
	var handles []*netns.Handle
	for i := range o.readings {
		if h := o.readings[i].handle; h != nil {
			handles = append(handles, h) // in the order of the snapshot's namespaces
		}
	}
	lists, err := netns.Processes(o.ctx, handles)
	if err != nil {
		return err
	}
	for i, list := range lists {
		s.Namespaces[i].Processes = list
	}
	return nil
}
