package nft

import (
	"slices"

	"warren/state"
)

// decodeRule reads one rule. The kernel's expressions are a small machine's program: some load into registers, others compare, look up or
// use what is there. A load is kept back until its use is understood; what stays over is put out as opaque, at the place where it was.
func (t *tableDecoder) decodeRule(a attrTable) (state.FirewallRule, error) {
	m := machine{table: t, ctx: newKnown(t.Family)}
	err := attrs(a[ruleExprs], func(_ uint16, v []byte) error {
		x, err := attrMap(v)
		if err != nil {
			return err
		}
		return m.step(cstring(x[exprName]), x[exprData])
	})
	m.flush()
	return state.FirewallRule{Exprs: m.out, Handle: be64(a[ruleHandle]), Comment: cstring(udata(a[ruleUserData], udataComment))}, err
}

// words is the number of 32-bit registers.
const words = 16

// A machine follows a rule's program.
type machine struct {
	table *tableDecoder
	ctx   known
	out   []state.Expr
	// held are the expressions that wrote a register and have not been understood by their use yet.
	held  []heldExpr
	regs  [words]*content
	last  *content // that out's last expression compared with >=, for a <= that follows at once
	count int      // of expressions so far
	at    int      // count when last was set
}

type heldExpr struct {
	opaque state.Opaque
	writes *content
}

// A content is what a register holds, from its first word on.
type content struct {
	op    *state.Operand // what was read from the packet, or
	imm   []byte         // a constant, or
	found *found         // what a map gave
	typ   state.DataType
	size  int
	short bool // less bytes than the operand has: its beginning
	net   bool // host order turned into network order
	part  *field
}

// found is one field of a map's data.
type found struct {
	lookup *state.MapLookup
	field  int
	of     int
}

// word is the index of the first 32-bit register of the kernel's register n; ok is false for the verdict register and for none.
func word(n uint32) (int, bool) {
	switch {
	case n >= 1 && n <= 4:
		return int(n-1) * 4, true
	case n >= 8 && n < 8+words:
		return int(n - 8), true
	}
	return 0, false
}

// write holds an expression back and notes what it wrote.
func (m *machine) write(name string, data []byte, reg uint32, c *content) {
	w, ok := word(reg)
	if !ok {
		m.opaque(name, data)
		return
	}
	m.held = append(m.held, heldExpr{state.Opaque{Name: name, Data: append([]byte(nil), data...)}, c})
	m.regs[w] = c
	for i := w + 1; i < words && i < w+pad4(c.size)/4; i++ {
		m.regs[i] = nil
	}
	// A longer content before it that reached into this word is no longer whole.
	for i := range w {
		if o := m.regs[i]; o != nil && i+pad4(o.size)/4 > w {
			m.regs[i] = nil
		}
	}
}

// read is what the register holds.
func (m *machine) read(reg uint32) *content {
	w, ok := word(reg)
	if !ok {
		return nil
	}
	return m.regs[w]
}

// use says that the contents are understood: the expressions that wrote them are part of what comes next.
func (m *machine) use(list ...*content) {
	m.held = slices.DeleteFunc(m.held, func(h heldExpr) bool { return slices.Contains(list, h.writes) })
}

// flush puts out what was held back and never understood.
func (m *machine) flush() {
	for _, h := range m.held {
		m.out = append(m.out, state.Expr{Opaque: &h.opaque})
	}
	m.held = nil
}

// emit puts out an expression that acts: all before it must be there.
func (m *machine) emit(x state.Expr) {
	m.flush()
	m.out = append(m.out, x)
}

// opaque puts out an expression that is not understood. It may have changed any register.
func (m *machine) opaque(name string, data []byte) {
	m.emit(state.Expr{Opaque: &state.Opaque{Name: name, Data: append([]byte(nil), data...)}})
	m.regs = [words]*content{}
}

// match puts out a match. Loads that belong to later matches may stay held back: matches can change places.
func (m *machine) match(x *state.Match) {
	m.out = append(m.out, state.Expr{Match: x})
	m.ctx.learn(x)
}

func (m *machine) step(name string, data []byte) error {
	a, err := attrMap(data)
	if err != nil {
		return err
	}
	m.count++
	understood := false
	switch name {
	case "meta":
		understood, err = m.meta(name, data, a), nil
	case "ct":
		understood = m.ct(name, data, a)
	case "payload":
		understood = m.payload(name, data, a)
	case "fib":
		understood = m.fib(name, data, a)
	case "bitwise":
		understood, err = m.bitwise(name, data, a)
	case "byteorder":
		understood = m.byteorder(name, data, a)
	case "immediate":
		understood, err = m.immediate(name, data, a)
	case "cmp":
		understood, err = m.cmp(a)
	case "range":
		understood, err = m.compareRange(a)
	case "lookup":
		understood = m.lookup(name, data, a)
	default:
		understood = m.act(name, a)
	}
	if !understood && err == nil {
		m.opaque(name, data)
	}
	return err
}
