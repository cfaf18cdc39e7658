package contract

import (
	"context"
	"errors"
	"syscall"

	"warren/plan"
	"warren/state"
)

func (w *world) ctx() context.Context { return context.Background() }

// firewall is a small table with a set and a map.
func firewall(drop bool) *state.Table {
	verdict := state.Accept()
	if drop {
		verdict = state.Drop()
	}
	return &state.Table{
		Family: "inet", Name: state.FirewallTable, Comment: "warren",
		Sets: []state.Set{
			state.MapOf("publish", []state.DataType{state.TypeProto, state.TypePort}, []state.DataType{state.TypeIPv4, state.TypePort}),
			state.SetOf("ports", false, []state.DataType{state.TypePort}),
		},
		Chains: []state.Chain{
			state.BaseChain("forward", "filter", "forward", 0, "accept",
				state.RuleOf(state.IifIs("x"), state.Dport("tcp", state.OnePort(80)), verdict).WithComment("a rule")),
		},
	}
}

func (w *world) table(node string) *state.Table {
	w.Helper()
	n := w.space(node)
	for i := range n.Tables {
		if n.Tables[i].Name == state.FirewallTable {
			return &n.Tables[i]
		}
	}
	return nil
}

func tables(w *world) {
	want := func(t *state.Table) state.Desired {
		n := state.DesiredNamespace{Name: w.ns("a"), Mark: state.Mark{Lab: w.lab, Node: "a"}}
		if t != nil {
			n.Tables = []state.Table{*t}
		}
		return state.Desired{Lab: w.lab, Namespaces: []state.DesiredNamespace{n}}
	}
	w.up(want(firewall(false)))
	w.up(want(firewall(true)))
	w.up(want(nil))
	if w.table("a") != nil {
		w.Fatalf("the table is still there")
	}
	w.refused(syscall.ENOENT, w.remove(plan.Object{Table: firewall(false)}))
}

func published(port uint16, to, comment string, toPort uint16) state.Element {
	return state.MapElem([]state.Value{state.ProtoValue("tcp"), state.PortValue(port)}, state.AddrValue(addr(to)), state.PortValue(toPort)).WithComment(comment)
}

func elements(w *world) {
	w.do(w.node("a"), w.create("a", plan.Object{Table: firewall(false)}))
	of := func(e ...state.Element) plan.Object {
		return plan.Object{Elements: &plan.Elements{Family: "inet", Table: state.FirewallTable, Set: "publish", Elements: e}}
	}
	count := func(want int) {
		w.Helper()
		if n := len(w.table("a").Set("publish").Elements); n != want {
			w.Fatalf("the map has %d elements, want %d", n, want)
		}
	}
	one, two := published(8080, "10.0.0.2", "l/a", 80), published(8443, "10.0.0.2", "l/b", 443)
	w.do(w.create("a", of(one, two)))
	count(2)
	if e := w.table("a").Set("publish").Elements; e[0].Comment == "" || len(e[0].Data) != 2 {
		w.Fatalf("the elements are %+v", e)
	}
	w.refused(syscall.EEXIST, w.create("a", of(published(8080, "10.0.0.3", "m/a", 80))))
	count(2)
	moved := published(8080, "10.0.0.9", "l/a", 80)
	w.do(plan.Step{NS: w.ns("a"), Before: of(one), After: of(moved)})
	count(2)
	w.do(w.remove(of(two)))
	count(1)
	w.refused(syscall.ENOENT, w.remove(of(two)))
	nowhere := of(one)
	nowhere.Elements.Set = "no"
	w.refused(syscall.ENOENT, w.create("a", nowhere))
}

// small is a lab with a bit of everything, for walks over its steps.
func (w *world) small() state.Desired {
	return Lab{
		Name: w.lab, Nodes: 3, Nets: []Net{{Members: []int{0, 1, 2}, Bridge: true, IPv6: true}, {Members: []int{0, 1}}}, Forward: []int{0},
		Default: true, Firewall: []int{0}, Holes: []int{1}, Rules: []int{2}, Uplink: -1,
	}.Desired()
}

var errInjected = errors.New("injected")

// hooks: at every step an error of the hook ends the work there, the report says what was done, and undoing that leads back.
func hooks(w *world) {
	want := w.small()
	before := w.plain(want)
	p := w.diff(want)
	for stop := range p.Steps {
		seen, after := -1, -1
		r := w.k.Apply(w.ctx(), p.Steps, plan.Hooks{
			Before: func(i int, s plan.Step) error {
				if i != seen+1 {
					w.Fatalf("before step %d came after %d", i, seen)
				}
				seen = i
				if i == stop {
					return errInjected
				}
				return nil
			},
			After: func(i int, s plan.Step) {
				if i != after+1 {
					w.Fatalf("after step %d came after %d", i, after)
				}
				after = i
			},
		})
		if !errors.Is(r.Err, errInjected) || seen != stop || after != stop-1 {
			w.Fatalf("stopped at %d: error %v, before %d, after %d", stop, r.Err, seen, after)
		}
		for i, st := range r.Status {
			wantStatus := plan.Done
			if i == stop {
				wantStatus = plan.Failed
			} else if i > stop {
				wantStatus = plan.NotTried
			}
			if st != wantStatus {
				w.Fatalf("stopped at %d: status of %d is %d, want %d", stop, i, st, wantStatus)
			}
		}
		w.do(plan.Undo(p.Steps, r)...)
		if got := w.plain(want); got != before {
			w.Fatalf("stopped at %d (%v) and undone, it is\n%s\nwant\n%s", stop, p.Steps[stop], got, before)
		}
	}
}

// partialFailure: a step that the kernel refuses is reported, those before it are done.
func partialFailure(w *world) {
	pair(w)
	steps := []plan.Step{
		w.create("a", plan.Object{Route: ours("10.7.0.0/16", "10.1.0.2", "x")}),
		w.create("a", plan.Object{Route: ours("10.8.0.0/16", "10.99.0.2", "x")}),
		w.create("b", plan.Object{Route: ours("10.9.0.0/16", "10.1.0.1", "x")}),
	}
	r := w.k.Apply(w.ctx(), steps, plan.Hooks{})
	if !errors.Is(r.Err, syscall.ENETUNREACH) {
		w.Fatalf("error %v", r.Err)
	}
	if r.Status[0] != plan.Done || r.Status[1] != plan.Failed || r.Status[2] != plan.NotTried {
		w.Fatalf("status %v", r.Status)
	}
	if !w.hasRoute("a", "10.7.0.0/16") || w.hasRoute("b", "10.9.0.0/16") {
		w.Fatalf("the report does not tell what was done")
	}
	w.do(plan.Undo(steps, r)...)
	if w.hasRoute("a", "10.7.0.0/16") {
		w.Fatalf("not undone")
	}
}
