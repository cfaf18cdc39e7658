package iproute

import (
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/internal/xfrm"
)

// policies is "ip xfrm policy".
func (x *xfrmCommand) policies(w *words) {
	on := func(run func(w *words)) func(*session, *words) { return func(_ *session, w *words) { run(w) } }
	deleteAll := on(func(w *words) { x.policyFilter(w); x.deletePolicies() })
	word := w.peek()
	if !w.more() {
		x.listPolicies(w)
	} else if !dispatch(x.session, w, []verb{
		{"add", on(func(w *words) { x.modifyPolicy(w, xfrm.NewPolicy) })},
		{"update", on(func(w *words) { x.modifyPolicy(w, xfrm.UpdPolicy) })},
		{"delete", on(func(w *words) { x.talk(xfrm.DelPolicy, x.onePolicy(w)) })},
		{"deleteall", deleteAll},
		{"delall", deleteAll},
		{"list", on(x.listPolicies)},
		{"show", on(x.listPolicies)},
		{"lst", on(x.listPolicies)},
		{"get", on(func(w *words) { x.tellPolicy(x.out(), x.query(xfrm.GetPolicy, x.onePolicy(w))) })},
		{"flush", on(x.flushPolicies)},
		{"count", on(x.countPolicies)},
		{"set", on(x.setThresholds)},
		{"setdefault", on(x.setDefaults)},
		{"getdefault", on(x.showDefaults)},
		{"help", on(func(*words) { usageOf(xfrmPolicyUsage) })},
	}) {
		unknownVerb("xfrm policy", word)
	}
}

// A policyRequest is what the words about one policy say.
type policyRequest struct {
	*xfrmCommand
	xfrm.Policy
	mark      xfrm.Mark
	ptype     uint8
	context   []byte
	templates []xfrm.Template
	ifID      uint32

	dir, sel, index, hasType, hasContext, hasIfID bool
}

// common reads the words that all verbs know.
func (r *policyRequest) common(w *words) bool {
	switch word := w.peek(); word {
	case "dir":
		once(&r.dir, "dir", word)
		r.Dir = mustName(xfrmDirections(), w.next(), "DIR value is invalid")
	case "ctx":
		once(&r.hasContext, "ctx", word)
		r.context = xfrmContext(w.next())
	case "mark":
		r.mark = markWord(w)
	case "ptype":
		once(&r.hasType, "ptype", word)
		r.ptype = mustName(xfrmTypes(), w.next(), "PTYPE value is invalid")
	case "if_id":
		r.ifID, r.hasIfID = u32(w.next(), "IF_ID value is invalid"), true
	default:
		return false
	}
	return true
}

func (x *xfrmCommand) modifyPolicy(w *words, typ int) {
	r := &policyRequest{xfrmCommand: x}
	r.Sel.Family = x.family
	r.Lifetime = unlimited()
	for ; w.more(); w.skip() {
		if !r.common(w) {
			r.modifyWord(w)
		}
	}
	if !r.dir {
		exit("Not enough information: DIR is required.")
	}
	if r.Sel.Family == unix.AF_UNSPEC {
		r.Sel.Family = unix.AF_INET
	}
	m := xfrmMessage(r.Policy)
	r.addType(m)
	if len(r.templates) > 0 {
		var b []byte
		for _, t := range r.templates {
			b = xfrm.Append(b, t)
		}
		m.Bytes(xfrm.AttrTemplates, b)
	}
	addMark(m, r.mark, true)
	r.addRest(m)
	x.talk(typ, m)
}

func (r *policyRequest) modifyWord(w *words) {
	switch word := w.peek(); word {
	case "index":
		r.Index = u32(w.next(), "INDEX value is invalid")
	case "action":
		r.Action = mustName(xfrmActions(), w.next(), "ACTION value is invalid\n")
	case "priority":
		r.Priority = u32(w.next(), "PRIORITY value is invalid")
	case "flag":
		w.next()
		r.Flags = uint8(xfrmFlagWords(w, xfrmPolicyFlags(), 8, uint32(r.Flags), "FLAG value is invalid"))
	case "limit":
		w.next()
		xfrmLimit(w, &r.Lifetime)
	case "tmpl":
		const most = 16 // of iproute2
		if len(r.templates) == most {
			exit("Too many tmpls: buffer overflow")
		}
		w.next()
		r.template(w)
	default:
		once(&r.sel, "unknown", word)
		r.selector(w, &r.Sel)
		if r.family == unix.AF_UNSPEC {
			r.family = r.Sel.Family
		}
	}
}

// template reads a transform.
func (r *policyRequest) template(w *words) {
	const any = ^uint32(0)
	t := xfrm.Template{Family: r.family, Auth: any, Crypt: any, Comp: any}
	id := false
words:
	for {
		switch w.peek() {
		case "mode":
			t.Mode = xfrmMode(w.next())
		case "reqid":
			t.ReqID = u32(w.next(), "REQID value is invalid")
		case "level":
			t.Optional = mustName([]xfrmName{{"required", 0}, {"use", 1}}, w.next(), "LEVEL value is invalid\n")
		default:
			if id {
				w.at--
				break words
			}
			id = true
			r.family = unix.AF_UNSPEC
			r.id(w, &t.ID, &t.Src, &t.Family, false)
			r.family = t.Family
		}
		if !follow(w) {
			break
		}
	}
	r.templates = append(r.templates, t)
}

func (r *policyRequest) addType(m *rtnl.Message) {
	if r.hasType {
		xfrmBytes(m, xfrm.AttrPolicyType, xfrm.PolicyType{Type: r.ptype})
	}
}

func (r *policyRequest) addRest(m *rtnl.Message) {
	if r.hasContext {
		m.Bytes(xfrm.AttrContext, r.context)
	}
	if r.hasIfID {
		m.U32(xfrm.AttrInterface, r.ifID)
	}
}

// onePolicy makes the message that names a policy, by what it selects or by its index.
func (x *xfrmCommand) onePolicy(w *words) *rtnl.Message {
	r := &policyRequest{xfrmCommand: x}
	for ; w.more(); w.skip() {
		if r.common(w) {
			continue
		}
		word := w.peek()
		if word == "index" {
			once(&r.index, "index", word)
			r.Index = u32(w.next(), "INDEX value is invalid")
			continue
		}
		if r.sel {
			invalid("unknown", word)
		}
		r.sel = true
		r.selector(w, &r.Sel)
		if r.family == unix.AF_UNSPEC {
			r.family = r.Sel.Family
		}
	}
	switch {
	case !r.dir:
		exit("Not enough information: DIR is required.")
	case !r.sel && !r.index:
		exit("Not enough information: either SELECTOR or INDEX is required.")
	case r.sel && r.index:
		garbage("SELECTOR", "INDEX")
	}
	if r.Sel.Family == unix.AF_UNSPEC {
		r.Sel.Family = unix.AF_INET
	}
	m := xfrmMessage(xfrm.PolicyID{Sel: r.Sel, Index: r.Index, Dir: r.Dir})
	r.addType(m)
	addMark(m, r.mark, false)
	r.addRest(m)
	return m
}

// policyFilter reads which policies are meant.
func (x *xfrmCommand) policyFilter(w *words) {
	f := &x.filter
	f.use = w.more() || x.family != unix.AF_UNSPEC
	f.policy.Sel.Family = x.family
	sel := false
	for ; w.more(); w.skip() {
		switch word := w.peek(); word {
		case "dir":
			f.policy.Dir, f.given.dir = mustName(xfrmDirections(), w.next(), "DIR value is invalid"), true
		case "index":
			f.policy.Index, f.given.index = u32(w.next(), "INDEX value is invalid"), true
		case "ptype":
			f.ptype, f.given.ptype = mustName(xfrmTypes(), w.next(), "PTYPE value is invalid"), true
		case "action":
			f.policy.Action, f.given.action = mustName(xfrmActions(), w.next(), "ACTION value is invalid\n"), true
		case "priority":
			f.policy.Priority, f.given.priority = u32(w.next(), "PRIORITY value is invalid"), true
		case "flag":
			w.next()
			f.policy.Flags = uint8(xfrmFlagWords(w, xfrmPolicyFlags(), 8, uint32(f.policy.Flags), "FLAG value is invalid"))
			f.given.policyFlags = true
		case "nosock":
			f.noSockets = true
		default:
			if sel {
				invalid("unknown", word)
			}
			sel = true
			x.selector(w, &f.policy.Sel)
			if x.family == unix.AF_UNSPEC {
				x.family = f.policy.Sel.Family
			}
		}
	}
}

// letsPolicy reports whether a policy of that type is meant.
func (f *xfrmFilter) letsPolicy(p *xfrm.Policy, ptype uint8) bool {
	want, sel, given := &f.policy, &f.policy.Sel, &f.given
	if !f.use {
		return true
	}
	return (!f.noSockets || p.Dir < xfrm.PolicyMax) && (sel.Family == unix.AF_UNSPEC || sel.Family == p.Sel.Family) &&
		(!given.dir || p.Dir == want.Dir) && (!given.ptype || ptype == f.ptype) &&
		p.Sel.Src.Within(sel.Src, f.src) && p.Sel.Dst.Within(sel.Dst, f.dst) && (!given.link || p.Sel.Link == sel.Link) &&
		(!given.upper || p.Sel.Proto == sel.Proto) && (!given.sport || p.Sel.SrcPort == sel.SrcPort) && (!given.dport || p.Sel.DstPort == sel.DstPort) &&
		(!given.index || p.Index == want.Index) && (!given.action || p.Action == want.Action) && (!given.priority || p.Priority == want.Priority) &&
		(!given.policyFlags || p.Flags&want.Flags != 0)
}

func (x *xfrmCommand) listPolicies(w *words) {
	x.policyFilter(w)
	c := x.open()
	defer c.Close()
	for _, msg := range x.table(c, xfrm.GetPolicy, rtnl.NewMessage(0), "Dump terminated") {
		x.tellPolicy(x.out(), msg)
	}
	done()
}

func (x *xfrmCommand) deletePolicies() {
	x.deleteAll(xfrm.GetPolicy, rtnl.NewMessage(0), func(m netlink.Message) *nl.Request {
		p, ok := xfrm.Decode[xfrm.Policy](m.Data)
		if !ok {
			return nil
		}
		a := rtnl.ParseAttrs(m.Data[xfrm.Size[xfrm.Policy]():])
		if !x.filter.letsPolicy(&p, policyType(a)) {
			return nil
		}
		del := xfrmMessage(xfrm.PolicyID{Sel: p.Sel, Index: p.Index, Dir: p.Dir})
		for _, typ := range []uint16{xfrm.AttrMark, xfrm.AttrInterface} {
			if b := a.Bytes(int(typ)); b != nil {
				del.Bytes(typ, b)
			}
		}
		req, err := del.Request(xfrm.DelPolicy, 0)
		if err != nil {
			die("%v", err)
		}
		return &req
	})
	done()
}

func policyType(a rtnl.Attrs) uint8 {
	t, _ := xfrm.Decode[xfrm.PolicyType](a.Bytes(xfrm.AttrPolicyType))
	return t.Type
}
