package plan

import "warren/state"

// A Plan is an ordered list of steps. Carrying them out in this order is always possible; the adapter may send
// neighbouring steps together.
type Plan struct {
	Lab   string `json:"lab"`
	Steps []Step `json:"steps"`
}

// A Step makes, changes or removes one object. Before nil = it is made; After nil = it is removed; both = it is changed
// (only the fields that differ and are declared in After are touched). A step that says "undo me" swaps the two.
type Step struct {
	// NS is the place: the key of the namespace (see package state). For a cable it is the asking end's, A.NS.
	NS     string `json:"ns"`
	Before Object `json:"before,omitzero"`
	After  Object `json:"after,omitzero"`
	// Reason says why, for a person: "declared by net lan", "no longer declared", "mtu is 1400, want 1500".
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

// An Object is one thing in a namespace: exactly one field is set.
type Object struct {
	// Namespace: when made, it is empty but for its lo (down) and its mark; the contents follow as steps of their own.
	// When removed, all that is in it goes with it: Contents tell what, so that the step can be inverted.
	Namespace *state.DesiredNamespace `json:"namespace,omitempty"`
	// Cable is a veth pair, both ends in one message.
	Cable *Cable `json:"cable,omitempty"`
	// Link is any other link, and the change of one (up, down, mtu, master, altnames, port attributes ...), a veth's end
	// included.
	Link     *state.Link     `json:"link,omitempty"`
	Addr     *state.Addr     `json:"addr,omitempty"`
	Route    *state.Route    `json:"route,omitempty"`
	Rule     *state.Rule     `json:"rule,omitempty"`
	Neighbor *state.Neighbor `json:"neighbor,omitempty"`
	FDB      *state.FDBEntry `json:"fdb,omitempty"`
	// Table is a whole nftables table: replaced in one transaction.
	Table *state.Table `json:"table,omitempty"`
	// Elements are elements of a set or map of a table that others use too (the host's table "warren").
	Elements *Elements     `json:"elements,omitempty"`
	Sysctl   *state.Sysctl `json:"sysctl,omitempty"`
}

// IsZero reports whether there is no object.
func (o Object) IsZero() bool { return o == Object{} }

// A Cable is a veth pair.
type Cable struct {
	A End `json:"a"`
	B End `json:"b"`
}

// An End of a cable: a link of kind veth in a namespace. Master, MAC, MTU, group, up (only of end A) and port attributes
// are set at birth.
type End struct {
	NS   string     `json:"ns"`
	Link state.Link `json:"link"`
}

// Elements of one set or map.
type Elements struct {
	Family   string          `json:"family"`
	Table    string          `json:"table"`
	Set      string          `json:"set"`
	Elements []state.Element `json:"elements"`
}
