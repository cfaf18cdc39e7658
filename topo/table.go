package topo

import (
	"maps"
	"slices"
	"strings"
)

// A field is one key of a map in the lab file: its name, what it may hold (for the schema), and how it is read. Parser and
// schema are both made from these tables, so they cannot drift apart.
type field[T any] struct {
	name string
	doc  string
	// holds is the JSON schema of the value.
	holds schema
	// later says that the key belongs to the language and that this version cannot do it yet.
	later bool
	read  func(r *reader, t *T, v *tree, path string)
}

// An object is a map with known keys.
type object[T any] struct {
	what   string
	fields []field[T]
}

// reader reads a tree into a Lab.
type reader struct {
	problems
	where map[string]Pos
	// broken: something could not be read, so that complaints about what it would have meant are no help.
	broken  bool
	members int
	taken   map[string]bool // names of nets
	fixed   []fixedAddr     // from the nodes' ip
}

// fail reports something that could not be read.
func (r *reader) fail(at Pos, hint, format string, args ...any) {
	r.broken = true
	r.add(at, hint, format, args...)
}

func (r *reader) mark(path string, at Pos) {
	if _, ok := r.where[path]; !ok {
		r.where[path] = at
	}
}

// read reads a map key by key.
func (o object[T]) read(r *reader, t *T, v *tree, path string) {
	if v.kind == treeNull {
		return
	}
	if v.kind != treeMap {
		r.fail(v.pos, "", "%s is a map, not %s", o.what, v.what())
		return
	}
	for i, k := range v.keys {
		f := o.find(k.text)
		switch {
		case f == nil && path == "" && strings.HasPrefix(k.text, "x-"):
			// a place for anchors and for other programs
		case f == nil:
			r.unknown(k.pos, k.text, o.what, o.names())
		case f.later:
			r.add(k.pos, "", "%s: not supported yet", k.text)
		default:
			at := path + "/" + k.text
			r.mark(at, v.vals[i].pos)
			f.read(r, t, v.vals[i], at)
		}
	}
}

func (r *reader) unknown(at Pos, key, what string, known []string) {
	hint := ""
	if n := nearest(key, known); n != "" {
		hint = "did you mean " + n + "?"
	} else {
		hint = "known: " + strings.Join(known, ", ")
	}
	r.add(at, hint, "unknown key %q in %s", key, what)
}

func (o object[T]) find(name string) *field[T] {
	i := slices.IndexFunc(o.fields, func(f field[T]) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &o.fields[i]
}

func (o object[T]) names() []string {
	names := make([]string, 0, len(o.fields))
	for _, f := range o.fields {
		if !f.later {
			names = append(names, f.name)
		}
	}
	return names
}

// schema is the JSON schema of the map.
func (o object[T]) schema() schema {
	props := schema{}
	for _, f := range o.fields {
		if f.later {
			continue
		}
		s := schema{}
		maps.Copy(s, f.holds)
		s["description"] = f.doc
		props[f.name] = s
	}
	return schema{"type": []any{"object", "null"}, "properties": props, "additionalProperties": false}
}

// text reads a scalar.
func (r *reader) text(v *tree, what string) (string, bool) {
	if v.kind != treeScalar {
		r.fail(v.pos, "", "%s is text, not %s", what, v.what())
		return "", false
	}
	return v.text, true
}

// parsed reads a scalar through one of the functions of syntax.go.
func parsed[V any](r *reader, v *tree, what string, parse func(string) (V, error)) (V, bool) {
	var zero V
	s, ok := r.text(v, what)
	if !ok {
		return zero, false
	}
	x, err := parse(s)
	if err != nil {
		r.fail(v.pos, "", "%s: %w", what, err)
		return zero, false
	}
	return x, true
}

// boolean reads true or false. Other words are text in YAML 1.2.
func (r *reader) boolean(v *tree, what string) (value, ok bool) {
	if v.kind == treeScalar {
		switch v.text {
		case "true":
			return true, true
		case "false":
			return false, true
		}
		hint := ""
		if slices.Contains([]string{"on", "yes", "off", "no"}, strings.ToLower(v.text)) {
			hint = "YAML 1.2 knows true and false"
		}
		r.fail(v.pos, hint, "%s is true or false, not %q", what, v.text)
		return false, false
	}
	r.fail(v.pos, "", "%s is true or false, not %s", what, v.what())
	return false, false
}

// items reads a list; a single value stands for a list of one, nothing for an empty one.
func (r *reader) items(v *tree) []*tree {
	switch v.kind {
	case treeNull:
		return nil
	case treeList:
		return v.vals
	case treeScalar, treeMap:
		return []*tree{v}
	}
	panic("topo: unknown kind of tree")
}

// names reads a name with ranges.
func (r *reader) names(at Pos, text string, check func(string) error) []string {
	names, err := expandName(text)
	if err == nil {
		for _, n := range names {
			if err = check(n); err != nil {
				break
			}
		}
	}
	if err != nil {
		r.fail(at, "", "%w", err)
		return nil
	}
	return names
}
