package kernel

import (
	"fmt"

	"warren/internal/nflink"
	"warren/state"
)

// linkAgents are the BPF programs at hooks of netfilter in a namespace, and those of which it was not told where they are.
func (o *observation) linkAgents(r *reading) ([]state.Agent, error) {
	o.linksOnce.Do(func() { o.links, o.linksErr = nflink.List() })
	var list []state.Agent
	var err error
	for _, l := range o.links {
		if l.Cookie != 0 && l.Cookie != r.handle.Cookie() {
			continue
		}
		if l.Cookie == 0 {
			err = o.linksErr
		}
		list = append(list, state.Agent{
			Kind: "netfilter-bpf", Dir: l.Hook, Family: l.Family, Priority: l.Priority, Program: l.Program, Anywhere: l.Cookie == 0,
			Name: fmt.Sprintf("BPF program %d (%s) at %s %s priority %d", l.Program, l.Name, l.Family, l.Hook, l.Priority),
		})
	}
	return list, err
}
