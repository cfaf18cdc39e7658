package topo

// Generic reads a file as other programs see it: maps, lists, text, numbers and booleans.
func Generic(data []byte) any { return generic(readTree(&problems{}, data)) }

func generic(t *tree) any {
	if t == nil {
		return nil
	}
	switch t.kind {
	case treeList:
		out := []any{}
		for _, v := range t.vals {
			out = append(out, generic(v))
		}
		return out
	case treeMap:
		out := map[string]any{}
		for i, k := range t.keys {
			out[k.text] = generic(t.vals[i])
		}
		return out
	case treeScalar:
		switch n, err := parseNumber(t.text); {
		case t.text == "true" || t.text == "false":
			return t.text == "true"
		case err == nil:
			return float64(n)
		}
		return t.text
	}
	return nil
}
