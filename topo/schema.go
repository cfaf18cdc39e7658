package topo

import "encoding/json"

// schema is a piece of a JSON schema (draft 2020-12).
type schema map[string]any

const namePattern = `^[A-Za-z0-9][A-Za-z0-9_-]*$`

// Schema returns the JSON schema of lab files, for editors and other programs.
func Schema() []byte {
	s := labFields().schema()
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "warren lab file"
	s["patternProperties"] = schema{"^x-": true}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("topo: " + err.Error()) // maps, lists and text always marshal
	}
	return append(b, '\n')
}

// textSchema: YAML readers of other programs take plain 22 for a number and true for a boolean; the parser takes text.
func textSchema(pattern string) schema {
	s := schema{"type": []any{"string", "number", "boolean"}}
	if pattern != "" {
		s["pattern"] = pattern
	}
	return s
}

func boolSchema() schema { return schema{"type": "boolean"} }

func mtuSchema() schema { return schema{"type": "integer", "minimum": 68, "maximum": 65535} }

func anyOf(s ...schema) schema {
	list := make([]any, 0, len(s))
	for _, x := range s {
		list = append(list, x)
	}
	return schema{"anyOf": list}
}

// listOf is a list, or one element, or nothing.
func listOf(s schema) schema {
	return anyOf(schema{"type": "array", "items": s}, s, schema{"type": "null"})
}

func listOrOne(s schema) schema { return listOf(s) }

func mapOf(s schema) schema {
	return schema{"type": []any{"object", "null"}, "additionalProperties": s}
}

// memberList is what a net's nodes may be: a list, or a map.
func memberList() schema {
	return anyOf(memberArray(), oneMember(), textSchema(""))
}

// memberArray is the shorthand of a net: its members only. A map would be the net's long form.
func memberArray() schema {
	return schema{"type": []any{"array", "null"}, "items": anyOf(textSchema(""), oneMember())}
}

func oneMember() schema {
	return mapOf(anyOf(memberFields().schema(), listOf(textSchema(""))))
}
