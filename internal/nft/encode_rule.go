package nft

import (
	"fmt"
	"slices"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"

	"warren/state"
)

// rule adds one rule; its anonymous sets go before it, since the rule names them by their number in the transaction.
func (e *encoder) rule(chain string, index int, r *state.FirewallRule) error {
	if err := checkComment("the rule", r.Comment); err != nil {
		return err
	}
	family := e.family
	object := func() string { return fmt.Sprintf("rule %d of chain %s: %s", index+1, chain, RuleText(family, *r)) }
	re := ruleEncoder{encoder: e, ctx: newKnown(e.family), object: object}
	for i := range r.Exprs {
		if err := re.expr(&r.Exprs[i]); err != nil {
			return err
		}
	}
	if len(re.w.b) > 60000 {
		return fmt.Errorf("%w: its expressions take %d bytes", ErrUnsupported, len(re.w.b))
	}
	e.message(msgNewRule, netlink.Create|netlink.Append, re.object, func(w *writer) {
		w.string(ruleTable, e.table)
		w.string(ruleChain, chain)
		w.nest(ruleExprs, func() { w.b = append(w.b, re.w.b...) })
		if r.Comment != "" {
			w.bytes(ruleUserData, udataString(udataComment, r.Comment))
		}
	})
	return nil
}

// A ruleEncoder writes the expressions of one rule.
type ruleEncoder struct {
	*encoder
	ctx    known
	w      writer
	object func() string
}

// add writes expressions through google/nftables.
func (e *ruleEncoder) add(list ...expr.Any) error {
	for _, x := range list {
		b, err := expr.Marshal(e.famID, x)
		if err != nil {
			return err
		}
		e.w.bytes(listElem|nested, b)
	}
	return nil
}

// own writes an expression that google/nftables cannot write in full.
func (e *ruleEncoder) own(name string, data func(w *writer)) {
	e.w.nest(listElem, func() {
		e.w.string(exprName, name)
		e.w.nest(exprData, func() { data(&e.w) })
	})
}

// register is the kernel's number of the 32-bit register n: the four 128-bit ones are 1 to 4, single words are 8 and up.
func register(n int) uint32 {
	if n%4 == 0 {
		return uint32(n/4 + 1)
	}
	return uint32(8 + n)
}

func (e *ruleEncoder) expr(x *state.Expr) error {
	switch {
	case x.Match != nil:
		if err := e.match(x.Match); err != nil {
			return err
		}
		e.ctx.learn(x.Match)
		return nil
	case x.VerdictMap != nil:
		_, err := e.lookup(x.VerdictMap.Keys, x.VerdictMap.SetName, x.VerdictMap.Set, false, toVerdict)
		return err
	case x.Verdict != nil:
		code, ok := verdictCode(x.Verdict.Kind)
		if !ok {
			return fmt.Errorf("%w: verdict %q", ErrUnsupported, x.Verdict.Kind)
		}
		return e.add(&expr.Verdict{Kind: expr.VerdictKind(code), Chain: x.Verdict.Chain})
	case x.NAT != nil:
		return e.nat(x.NAT)
	case x.Reject != nil:
		return e.reject(x.Reject.With)
	case x.Counter != nil:
		return e.add(&expr.Counter{Bytes: x.Counter.Bytes, Packets: x.Counter.Packets})
	case x.Log != nil:
		return e.log(x.Log)
	case x.Limit != nil:
		return e.limit(x.Limit)
	case x.SetValue != nil:
		return e.setValue(x.SetValue)
	case x.FlowAdd != "":
		e.own("flow_offload", func(w *writer) { w.string(1, x.FlowAdd) }) // NFTA_FLOW_TABLE_NAME
		return nil
	case x.Notrack:
		return e.add(&expr.Notrack{})
	case x.Opaque != nil:
		o := x.Opaque
		e.own(o.Name, func(w *writer) { w.b = append(w.b, o.Data...) })
		return nil
	}
	return fmt.Errorf("%w: an empty expression", ErrUnsupported)
}

// load reads an operand into registers from word at on and returns its type and length.
func (e *ruleEncoder) load(o *state.Operand, at int) (typ state.DataType, size int, err error) {
	reg := register(at)
	switch {
	case o.Meta != "":
		k, ok := keyByName(metaKeys[:], o.Meta)
		if !ok {
			return "", 0, fmt.Errorf("%w: meta %q", ErrUnsupported, o.Meta)
		}
		typ, size, err = k.typ, k.size, e.add(&expr.Meta{Key: expr.MetaKey(k.id), Register: reg})
	case o.CT != nil:
		k, ok := keyByName(ctKeys[:], o.CT.Key)
		if !ok {
			return "", 0, fmt.Errorf("%w: ct %q", ErrUnsupported, o.CT.Key)
		}
		typ, size = k.typ, k.size
		dir, ok := map[string]int{"": -1, "original": 0, "reply": 1}[o.CT.Direction]
		if !ok {
			return "", 0, fmt.Errorf("%w: ct direction %q", ErrUnsupported, o.CT.Direction)
		}
		e.own("ct", func(w *writer) {
			w.u32(2, k.id) // NFTA_CT_KEY
			w.u32(1, reg)  // NFTA_CT_DREG
			if dir >= 0 {
				w.bytes(3, []byte{byte(dir)}) // NFTA_CT_DIRECTION
			}
		})
	case o.FIB != nil:
		x, err := fibExpr(o.FIB, reg)
		if err != nil {
			return "", 0, err
		}
		typ, size = fibType(*o.FIB)
		if err := e.add(x); err != nil {
			return "", 0, err
		}
	case o.Payload != nil:
		f, ok := fieldByName(*o.Payload)
		if !ok {
			return "", 0, fmt.Errorf("%w: %s %s", ErrUnsupported, o.Payload.Protocol, o.Payload.Field)
		}
		if !e.ctx.knows(f) {
			return "", 0, fmt.Errorf("%w: %q, but nothing before it makes sure that the packet is %q", ErrUnsupported, f.proto+" "+f.name, f.proto)
		}
		off, length := f.span()
		typ, size = f.typ, int(length)
		err = e.add(&expr.Payload{DestRegister: reg, Base: expr.PayloadBase(f.base), Offset: off, Len: length})
	case o.Raw != nil:
		base := slices.Index(baseNames[:], o.Raw.Base)
		if base < 0 || o.Raw.Offset%8 != 0 || o.Raw.Length%8 != 0 || o.Raw.Length == 0 || o.Raw.Length > 128 {
			return "", 0, fmt.Errorf("%w: @%s,%d,%d", ErrUnsupported, o.Raw.Base, o.Raw.Offset, o.Raw.Length)
		}
		typ, size = state.TypeInteger, int(o.Raw.Length/8)
		err = e.add(&expr.Payload{DestRegister: reg, Base: expr.PayloadBase(base), Offset: o.Raw.Offset / 8, Len: o.Raw.Length / 8})
	default:
		return "", 0, fmt.Errorf("%w: an empty operand", ErrUnsupported)
	}
	if err != nil {
		return "", 0, err
	}
	if o.Mask != nil || o.Xor != nil {
		mask, xor := ones(size), make([]byte, size)
		if o.Mask != nil {
			mask = o.Mask.Bytes()
		}
		if o.Xor != nil {
			xor = o.Xor.Bytes()
		}
		if len(mask) != size || len(xor) != size {
			return "", 0, fmt.Errorf("%w: a mask of %d bytes for an operand of %d", ErrUnsupported, len(mask), size)
		}
		if err := e.add(&expr.Bitwise{SourceRegister: reg, DestRegister: reg, Len: uint32(size), Mask: mask, Xor: xor}); err != nil {
			return "", 0, err
		}
	}
	return typ, size, nil
}

func ones(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 0xff
	}
	return b
}

func fibExpr(f *state.FIB, reg uint32) (*expr.Fib, error) {
	x := &expr.Fib{Register: reg, FlagPRESENT: f.Present}
	for _, flag := range f.Flags {
		switch flag {
		case "saddr":
			x.FlagSADDR = true
		case "daddr":
			x.FlagDADDR = true
		case "mark":
			x.FlagMARK = true
		case "iif":
			x.FlagIIF = true
		case "oif":
			x.FlagOIF = true
		default:
			return nil, fmt.Errorf("%w: fib %q", ErrUnsupported, flag)
		}
	}
	switch f.Result {
	case "oif":
		x.ResultOIF = true
	case "oifname":
		x.ResultOIFNAME = true
	case "type":
		x.ResultADDRTYPE = true
	default:
		return nil, fmt.Errorf("%w: fib result %q", ErrUnsupported, f.Result)
	}
	return x, nil
}

func (e *ruleEncoder) match(m *state.Match) error {
	op := max(0, slices.Index(cmpOps[:], m.Op))
	if m.Op != "" && m.Op != "==" && op == 0 {
		return fmt.Errorf("%w: operator %q", ErrUnsupported, m.Op)
	}
	if m.SetName != "" || m.Set != nil {
		if op > 1 {
			return fmt.Errorf("%w: operator %q with a set", ErrUnsupported, m.Op)
		}
		_, err := e.lookup(append([]state.Operand{m.Left}, m.Concat...), m.SetName, m.Set, op == 1, noData)
		return err
	}
	if len(m.Concat) > 0 {
		return fmt.Errorf("%w: a concatenation is looked up in a set", ErrUnsupported)
	}
	typ, size, err := e.load(&m.Left, 0)
	if err != nil {
		return err
	}
	var values []state.Value
	switch {
	case m.Range != nil && m.Value == nil:
		values = m.Range[:]
		if op > 1 {
			return fmt.Errorf("%w: operator %q with a range", ErrUnsupported, m.Op)
		}
	case m.Value != nil && m.Range == nil:
		values = []state.Value{*m.Value}
	default:
		return fmt.Errorf("%w: a match without exactly one right side", ErrUnsupported)
	}
	ordered := m.Range != nil || op > 1
	data := make([][]byte, len(values))
	for i, v := range values {
		data[i] = v.Bytes()
		prefix := typ == state.TypeIfname && !ordered && len(v.Data) > 0 && len(v.Data) < size
		if v.Type != typ || len(v.Data) != size && !prefix {
			return fmt.Errorf("%w: a %s of %d bytes compared with a %s of %d", ErrUnsupported, typ, size, v.Type, len(v.Data))
		}
	}
	if f, ok := partialField(&m.Left); ok {
		return e.partialMatch(f, m, op, data)
	}
	if ordered && swaps(typ, size) {
		if err := e.add(&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: uint32(size), Size: uint32(size)}); err != nil {
			return err
		}
		for i := range data {
			data[i] = swapped(data[i])
		}
	}
	if m.Range != nil {
		return e.add(&expr.Range{Op: expr.CmpOp(op), Register: 1, FromData: data[0], ToData: data[1]})
	}
	return e.add(&expr.Cmp{Op: expr.CmpOp(op), Register: 1, Data: data[0]})
}

// partialField is the operand's field when it is less than whole bytes (ip dscp).
func partialField(o *state.Operand) (field, bool) {
	if o.Payload == nil {
		return field{}, false
	}
	f, ok := fieldByName(*o.Payload)
	return f, ok && f.partial()
}

// partialMatch compares some bits of the byte that was read; the value is what the bits say as a number.
func (e *ruleEncoder) partialMatch(f field, m *state.Match, op int, data [][]byte) error {
	if m.Value == nil || op > 1 || m.Left.Mask != nil || m.Left.Xor != nil {
		return fmt.Errorf("%w: %s %s can only be compared with one value", ErrUnsupported, f.proto, f.name)
	}
	mask, shift := f.mask()
	v := data[0][0] << shift
	if v>>shift != data[0][0] || v&^mask != 0 {
		return fmt.Errorf("%w: %d does not fit into %s %s", ErrUnsupported, data[0][0], f.proto, f.name)
	}
	return e.add(&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 1, Mask: []byte{mask}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOp(op), Register: 1, Data: []byte{v}})
}

// What a lookup gives besides yes or no.
const (
	noData = iota
	toVerdict
	toRegisters // from word 0 on
)

// lookup loads the operands side by side and looks them up in the named set, or in an anonymous one that it makes.
func (e *ruleEncoder) lookup(keys []state.Operand, name string, anon *state.Set, invert bool, result int) (*state.Set, error) {
	s := anon
	if name != "" {
		if s = e.types[name]; s == nil || anon != nil {
			return nil, fmt.Errorf("%w: the table has no set %q", ErrUnsupported, name)
		}
	}
	if s == nil || len(keys) == 0 || len(keys) != len(s.Key) {
		return nil, fmt.Errorf("%w: %d operands looked up in a set with keys of %d", ErrUnsupported, len(keys), len(keysOf(s)))
	}
	lay, err := layoutOf(s)
	if err != nil {
		return nil, err
	}
	if lay.isMap() != (result != noData) || (lay.dataType == verdictType) != (result == toVerdict) {
		return nil, fmt.Errorf("%w: a set where a map is needed, or the reverse", ErrUnsupported)
	}
	at := 0
	for i := range keys {
		if _, ok := partialField(&keys[i]); ok {
			return nil, fmt.Errorf("%w: %s %s cannot be looked up in a set", ErrUnsupported, keys[i].Payload.Protocol, keys[i].Payload.Field)
		}
		typ, size, err := e.load(&keys[i], at)
		if err != nil {
			return nil, err
		}
		if size != lay.key[i] || typ != s.Key[i] {
			return nil, fmt.Errorf("%w: a %s of %d bytes looked up among %s of %d", ErrUnsupported, typ, size, s.Key[i], lay.key[i])
		}
		if lay.swap {
			if err := e.add(&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: uint32(size), Size: uint32(size)}); err != nil {
				return nil, err
			}
		}
		at += pad4(size) / 4
	}
	if at > 16 {
		return nil, fmt.Errorf("%w: a key of %d bytes", ErrUnsupported, at*4)
	}
	x := &expr.Lookup{SourceRegister: 1, SetName: name, Invert: invert}
	if anon != nil {
		if x.SetID, err = e.set(anon, "", func() string { return "set of " + e.object() }); err != nil {
			return nil, err
		}
		x.SetName = "__set%d"
		if lay.isMap() {
			x.SetName = "__map%d"
		}
	}
	switch result {
	case toVerdict:
		x.IsDestRegSet = true // register 0 is the verdict
	case toRegisters:
		x.IsDestRegSet, x.DestRegister = true, 1
	}
	return s, e.add(x)
}

func keysOf(s *state.Set) []state.DataType {
	if s == nil {
		return nil
	}
	return s.Key
}
