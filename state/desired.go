package state

import (
	"slices"
	"strings"
)

// Desired is what should be: a lab's namespaces with all that they hold, and what the lab needs in namespaces that are
// not its own (the host's side of an uplink, an existing namespace used as a node). A field left zero is not declared:
// it is neither set nor compared.
type Desired struct {
	Lab        string             `json:"lab"`
	Namespaces []DesiredNamespace `json:"namespaces"` // sorted by Name
}

// Namespace returns the namespace of that key, or nil.
func (d *Desired) Namespace(name string) *DesiredNamespace {
	i, ok := slices.BinarySearchFunc(d.Namespaces, name, func(n DesiredNamespace, k string) int { return strings.Compare(n.Name, k) })
	if !ok {
		return nil
	}
	return &d.Namespaces[i]
}

// A DesiredNamespace is one namespace as it should be.
type DesiredNamespace struct {
	Name string `json:"name"` // key, see the package comment
	// Mark says that the lab owns the namespace: it is made when it does not exist, and what it holds is ours. The zero
	// Mark means that the namespace belongs to somebody else ("host", or a node with netns:): it is never made nor
	// deleted, and in it only marked objects are ours.
	Mark Mark `json:"mark,omitzero"`
	Contents
}

// Owned reports whether the lab owns the whole namespace.
func (n *DesiredNamespace) Owned() bool { return !n.Mark.IsZero() }

// Protocol is the routing protocol number on every route and rule that warren makes (rtnetlink(7), rtm_protocol) and,
// since Linux 5.18, on every address (IFA_PROTO). Not in iproute2's rt_protos.
const Protocol uint8 = 119

// LinkGroup is the group of every link that warren makes outside of its own namespaces ("warr" in ASCII). It is set in
// the same message that makes the link.
const LinkGroup uint32 = 0x77617272

// FirewallTable is the name of the nftables table that is ours, in nodes and on the host.
const FirewallTable = "warren"
