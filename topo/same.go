package topo

import "reflect"

// Same reports whether two labs say the same. Where they were read, and how that was written, does not count: a lab that was
// read back from JSON is the same.
func (l *Lab) Same(o *Lab) bool {
	if l == nil || o == nil {
		return l == o
	}
	a, b := *l, *o
	a.where, a.text, b.where, b.text = nil, nil, nil, nil
	return reflect.DeepEqual(a, b)
}

// Same reports whether two expanded labs are the same, their sources as [Lab.Same] has it.
func (x *Expanded) Same(o *Expanded) bool {
	if x == nil || o == nil {
		return x == o
	}
	a, b := *x, *o
	a.Source, b.Source = nil, nil
	return reflect.DeepEqual(a, b) && x.Source.Same(o.Source)
}
