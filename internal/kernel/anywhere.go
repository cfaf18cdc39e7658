package kernel

import "warren/state"

// anywhere reports whether the query wants these parts of at least one namespace.
func anywhere(q state.Query, parts state.Parts) bool {
	if q.Parts.Has(parts) {
		return true
	}
	for _, p := range q.PartsIn {
		if p.Has(parts) {
			return true
		}
	}
	return false
}
