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
