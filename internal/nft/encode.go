package nft

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mdlayher/netlink"

	"warren/internal/nl"
	"warren/state"
)

// An Op is one change: exactly one field is set.
type Op struct {
	// Replace makes the table what it says, whatever was there before.
	Replace *state.Table
	// Delete removes the table (only Family and Name count). That it is not there is an error (ENOENT).
	Delete *state.Table
	// AddElements adds elements to a set or map. A key that is taken already is an error (EEXIST), also by the same value.
	AddElements *Elements
	// DeleteElements removes elements by their keys; data and comment do not count. One that is not there is an error (ENOENT).
	DeleteElements *Elements
}

// Elements of one named set. Set needs its name, key, data and flags, as the table has it.
type Elements struct {
	Family string
	Table  string
	Set    state.Set // its Elements are what is added or deleted
}

// object says what the op is about, for errors.
func (o Op) object() (op, object string) {
	switch {
	case o.Replace != nil:
		return "replace", "nft table " + o.Replace.Key()
	case o.Delete != nil:
		return "delete", "nft table " + o.Delete.Key()
	case o.AddElements != nil:
		return "add elements to", "nft set " + o.AddElements.Family + " " + o.AddElements.Table + " " + o.AddElements.Set.Name
	case o.DeleteElements != nil:
		return "delete elements from", "nft set " + o.DeleteElements.Family + " " + o.DeleteElements.Table + " " + o.DeleteElements.Set.Name
	}
	return "", ""
}

// ErrUnsupported says that a value cannot be written as nftables expressions.
var ErrUnsupported = errors.New("not a firewall rule that warren can write")

// A message is one netlink message of a transaction and what it is about.
type message struct {
	nl.Request
	op int
	// object says what it is about, "rule 3 of chain forward"; nil = the op itself. A function, for only a refusal asks.
	object func() string
	// elements tells what stands where in the message: offset of the element's attribute from the start of the data.
	elements []elementAt
}

type elementAt struct {
	offset int
	elem   *state.Element
}

// Encode gives the messages of one transaction, without the netlink headers' numbers: batch begin, changes, batch end. Send them in one
// datagram ([nl.Conn.Transact]); [Apply] does.
func Encode(ops []Op) ([]nl.Request, error) {
	msgs, err := encode(ops)
	if err != nil {
		return nil, err
	}
	reqs := make([]nl.Request, len(msgs))
	for i := range msgs {
		reqs[i] = msgs[i].Request
	}
	return reqs, nil
}

func encode(ops []Op) ([]message, error) {
	e := encoder{op: -1}
	e.raw(msgBatchBegin, 0, []byte{0, 0, 0, subsystem >> 8})
	for i, op := range ops {
		e.op = i
		if err := e.change(op); err != nil {
			verb, object := op.object()
			return nil, fmt.Errorf("%s %s: %w", verb, object, err)
		}
	}
	if n := len(e.msgs); n > 1 {
		e.msgs[n-1].Flags |= netlink.Acknowledge
	}
	e.op = -1
	e.raw(msgBatchEnd, 0, []byte{0, 0, 0, subsystem >> 8})
	return e.msgs, nil
}

// An encoder collects the messages of one transaction.
type encoder struct {
	msgs   []message
	op     int
	family string
	famID  uint8
	table  string
	setID  uint32 // numbers sets of this transaction
	types  map[string]*state.Set
}

func (e *encoder) raw(typ uint16, flags netlink.HeaderFlags, data []byte) {
	e.msgs = append(e.msgs, message{Request: nl.Request{Type: netlink.HeaderType(typ), Flags: netlink.Request | flags, Data: data}, op: e.op})
}

// message adds a change; f writes its attributes.
func (e *encoder) message(typ uint16, flags netlink.HeaderFlags, object func() string, f func(w *writer)) *message {
	w := writer{b: []byte{e.famID, 0, 0, 0}} // struct nfgenmsg
	f(&w)
	e.raw(subsystem|typ, flags, w.b)
	m := &e.msgs[len(e.msgs)-1]
	m.object = object
	return m
}

func (e *encoder) open(family, table string) error {
	id, ok := familyID(family)
	if !ok {
		return fmt.Errorf("%w: family %q", ErrUnsupported, family)
	}
	if err := checkName("table", table); err != nil {
		return err
	}
	e.family, e.famID, e.table = family, id, table
	return nil
}

func checkName(what, name string) error {
	if name == "" || len(name) > 255 || strings.ContainsAny(name, "\x00%") { // %d is how the kernel is asked to make a name up
		return fmt.Errorf("%w: %s name %q", ErrUnsupported, what, name)
	}
	return nil
}

func checkComment(what, comment string) error {
	if len(comment) > maxComment {
		return fmt.Errorf("%w: the comment of %s has %d bytes, the limit is %d", ErrUnsupported, what, len(comment), maxComment)
	}
	if strings.Contains(comment, "\x00") {
		return fmt.Errorf("%w: the comment of %s holds a zero byte", ErrUnsupported, what)
	}
	return nil
}

func (e *encoder) change(op Op) error {
	switch {
	case op.Replace != nil:
		return e.replace(op.Replace)
	case op.Delete != nil:
		if err := e.open(op.Delete.Family, op.Delete.Name); err != nil {
			return err
		}
		e.deleteTable()
		return nil
	case op.AddElements != nil:
		return e.elements(op.AddElements, msgNewSetElem, netlink.Create|netlink.Excl)
	case op.DeleteElements != nil:
		return e.elements(op.DeleteElements, msgDelSetElem, 0)
	}
	return fmt.Errorf("%w: an empty change", ErrUnsupported)
}

func (e *encoder) deleteTable() {
	e.message(msgDelTable, 0, nil, func(w *writer) { w.string(tableName, e.table) })
}

// replace adds the table, so that there is one to delete, deletes it with all that it holds, and adds it anew. Within a transaction
// the kernel shows packets only the end of it.
func (e *encoder) replace(t *state.Table) error {
	if err := e.open(t.Family, t.Name); err != nil {
		return err
	}
	if err := checkComment("the table", t.Comment); err != nil {
		return err
	}
	e.message(msgNewTable, netlink.Create, nil, func(w *writer) { w.string(tableName, t.Name) })
	e.deleteTable()
	e.message(msgNewTable, netlink.Create|netlink.Excl, nil, func(w *writer) {
		w.string(tableName, t.Name)
		w.u32(tableFlags, t.Flags)
		if t.Comment != "" {
			w.bytes(tableUserData, udataString(udataComment, t.Comment))
		}
	})
	for i := range t.Chains {
		if err := e.chain(&t.Chains[i]); err != nil {
			return fmt.Errorf("chain %s: %w", t.Chains[i].Name, err)
		}
	}
	e.types = make(map[string]*state.Set, len(t.Sets))
	for i := range t.Sets {
		s := &t.Sets[i]
		e.types[s.Name] = s
		if err := checkName("set", s.Name); err != nil {
			return err
		}
		if _, err := e.set(s, s.Name, func() string { return "set " + s.Name }); err != nil {
			return fmt.Errorf("set %s: %w", s.Name, err)
		}
	}
	for i := range t.Chains {
		c := &t.Chains[i]
		for j := range c.Rules {
			if err := e.rule(c.Name, j, &c.Rules[j]); err != nil {
				return fmt.Errorf("rule %d of chain %s (%s): %w", j+1, c.Name, RuleText(t.Family, c.Rules[j]), err)
			}
		}
	}
	return nil
}

func (e *encoder) chain(c *state.Chain) error {
	if err := checkName("chain", c.Name); err != nil {
		return err
	}
	if err := checkComment("the chain", c.Comment); err != nil {
		return err
	}
	hook, policy := -1, uint32(1)
	if h := c.Hook; h != nil {
		for i, name := range hooksOf(e.family) {
			if name == h.Hook {
				hook = i
			}
		}
		switch h.Policy {
		case "", "accept":
		case "drop":
			policy = 0
		default:
			return fmt.Errorf("%w: policy %q", ErrUnsupported, h.Policy)
		}
		if hook < 0 {
			return fmt.Errorf("%w: a table of family %s has no hook %q", ErrUnsupported, e.family, h.Hook)
		}
	}
	e.message(msgNewChain, netlink.Create|netlink.Excl, func() string { return "chain " + c.Name }, func(w *writer) {
		w.string(chainTable, e.table)
		w.string(chainName, c.Name)
		if h := c.Hook; h != nil {
			w.nest(chainHook, func() {
				w.u32(hookNum, uint32(hook))
				w.u32(hookPriority, uint32(h.Priority))
				if len(h.Devices) == 1 {
					w.string(hookDev, h.Devices[0])
				} else if len(h.Devices) > 1 {
					w.nest(hookDevs, func() {
						for _, d := range h.Devices {
							w.string(1, d)
						}
					})
				}
			})
			w.u32(chainPolicy, policy)
			w.string(chainType, h.Type)
		}
		if c.Comment != "" {
			w.bytes(chainUserData, udataString(udataComment, c.Comment))
		}
	})
	return nil
}
