package plan

import "slices"

// phases collects steps; see the package comment for the order.
type phases struct {
	tablesGone []Step
	cleared    []Step
	nsGone     []Step
	linksGone  []Step
	born       []Step
	bridges    []Step
	cables     []Step
	links      []Step
	runs       []Step
	tables     []Step
	elements   []Step
}

func (p *phases) steps() []Step {
	return slices.Concat(p.tablesGone, p.cleared, p.nsGone, p.linksGone, p.born, p.bridges, p.cables, p.links, p.runs, p.tables,
		p.elements)
}

// grow makes room for what new places will need, so that a first plan is not copied while it grows.
func (p *phases) grow(places []*place) {
	born, cables, runs := 0, 0, 0
	for _, q := range places {
		if q.have != nil && !q.shared() {
			continue
		}
		c := &q.want.Contents
		if q.have == nil {
			born += 1 + len(c.Sysctls)
		}
		cables += len(c.Links)
		runs += len(c.Links) + len(c.Addrs) + len(c.Routes) + len(c.Rules) + len(c.Neighbors) + len(c.FDB)
	}
	if born == 0 {
		return
	}
	p.born, p.cables, p.runs = make([]Step, 0, born), make([]Step, 0, cables/2+1), make([]Step, 0, runs)
}
