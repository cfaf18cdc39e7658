package plan

import "warren/state"

// A Plan is an ordered list of steps. Carrying them out in this order is always possible; the adapter may send
// neighbouring steps together.
type Plan struct {
	Lab   string `json:"lab"`
	Steps []Step `json:"steps"`
	// Other lists what is in the lab's own namespaces and neither declared nor ours nor the kernel's: it is left alone.
	Other []Other `json:"other,omitempty"`
}

// Empty reports whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Steps) == 0 }

// An Other is an object that is not ours.
type Other struct {
	NS     string `json:"ns"`
	Object Object `json:"object"`
}

// A Step makes, changes or removes one object. Before nil = it is made; After nil = it is removed; both = it is changed.
// A step that says "undo me" swaps the two.
//
// A step is atomic for its reader: Done means all of it, Failed means that nothing of it is left. What a change is depends
// on the object:
//
//   - Link: both hold the name, the kind and only those fields that change. A field that is equal in both is not touched;
//     one that is zero in After and not in Before is taken away (master, alias, altnames; a nil bool of bridge or port
//     is left alone). Up is a change when it differs. Altnames are added and removed one by one.
//   - Addr, Neighbor, FDB: replaced, NLM_F_REPLACE. (Diff asks for it only where the kernel can.)
//   - Route: replaced, NLM_F_CREATE|NLM_F_REPLACE. Both have the same destination, table, TOS and metric.
//   - Table: replaced whole in one transaction, like a table that is made ("add, delete, add").
//   - Elements: the same set; those of Before are deleted and those of After added in one transaction.
//   - Sysctl: written.
type Step struct {
	// NS is the place: the key of the namespace (see package state). For a cable it is the asking end's, A.NS.
	NS     string `json:"ns"`
	Before Object `json:"before,omitzero"`
	After  Object `json:"after,omitzero"`
	// Reason says why, for a person: "no longer declared", "mtu is 1400, want 1500". Empty where it is plain: declared
	// and not there.
	Reason string `json:"reason,omitempty"`
}

// A Verb is what a step does.
type Verb string

// The verbs.
const (
	Create Verb = "create"
	Change Verb = "change"
	Delete Verb = "delete"
)

// Verb tells from Before and After what the step does.
func (s Step) Verb() Verb {
	switch {
	case s.Before.IsZero():
		return Create
	case s.After.IsZero():
		return Delete
	default:
		return Change
	}
}

// Object is After, or Before when the step removes.
func (s Step) Object() Object {
	if s.After.IsZero() {
		return s.Before
	}
	return s.After
}

// An Object is one thing in a namespace: exactly one field is set (and Far beside Namespace).
type Object struct {
	// Namespace: when made, it is empty but for its lo (down) and its mark; the contents follow as steps of their own.
	// When removed, all that is in it goes with it: Contents tell what, so that the step can be inverted. It is removed
	// by name only if it still carries the mark.
	Namespace *state.DesiredNamespace `json:"namespace,omitempty"`
	// Far belongs to a namespace that is removed: the ends of its cables in namespaces that stay. The kernel takes them
	// away with the namespace.
	Far *Far `json:"far,omitempty"`
	// Cable is a veth pair, both ends in one message.
	Cable *Cable `json:"cable,omitempty"`
	// Link is any other link, and the change of one (up, down, mtu, master, altnames, port attributes ...), a veth's end
	// included. A link that is made is made with all that it says, up included; a veth here is one whose other end is not
	// known (it is only ever removed).
	Link     *state.Link     `json:"link,omitempty"`
	Addr     *state.Addr     `json:"addr,omitempty"`
	Route    *state.Route    `json:"route,omitempty"`
	Rule     *state.Rule     `json:"rule,omitempty"`
	Neighbor *state.Neighbor `json:"neighbor,omitempty"`
	FDB      *state.FDBEntry `json:"fdb,omitempty"`
	// Table is a whole nftables table: replaced in one transaction.
	Table *state.Table `json:"table,omitempty"`
	// Elements are elements of a set or map of a table that others use too (the host's table "warren").
	Elements *Elements `json:"elements,omitempty"`
	// Sysctl: made = written, the former value not known (a new namespace, a new link); removed = nothing is to be done,
	// it goes with its link and the step stands there to be inverted.
	Sysctl *state.Sysctl `json:"sysctl,omitempty"`
}

// IsZero reports whether there is no object.
func (o Object) IsZero() bool { return o == Object{} }

// A Cable is a veth pair.
type Cable struct {
	A End `json:"a"`
	B End `json:"b"`
}

// An End of a cable: a link of kind veth in a namespace. Where a cable is made: of end A (the asking end, the switch's
// side) master, MAC, MTU, txqueuelen, group and up are set at birth; of end B name, MAC, MTU, txqueuelen and group (its Up
// is false, Master and Port are empty: a later change of the link in its namespace's run sets them). What the birth message
// cannot carry (altnames, alias, and port attributes of A) is set by the same step in a second message; many steps'
// second messages may go together after their first ones. Where a cable is removed both ends tell what they were.
type End struct {
	NS   string     `json:"ns"`
	Link state.Link `json:"link"`
}

// Far holds ends of cables.
type Far struct {
	Ends []End `json:"ends"`
}

// Elements of one set or map.
type Elements struct {
	Family   string          `json:"family"`
	Table    string          `json:"table"`
	Set      string          `json:"set"`
	Elements []state.Element `json:"elements"`
}
