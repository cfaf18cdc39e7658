package topo_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"warren/topo"
)

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(topo.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("lab.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("lab.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaTakesExamples: the examples, and their expanded forms, are valid by the schema.
func TestSchemaTakesExamples(t *testing.T) {
	s := compile(t)
	files := examples(t)
	files["everything"] = []byte(strings.Replace(strings.Replace(everything, "  - far -- {<<: *hosts}\n", "", 1), "[fd01::]/64", "[fd01::/64]", 1))
	for name, data := range files {
		if err := s.Validate(topo.Generic(data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		l, err := topo.Parse(name, data)
		if err != nil {
			t.Fatal(err)
		}
		out, err := topo.FormatExpanded(l)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(topo.Generic(out)); err != nil {
			t.Errorf("%s expanded: %v", name, err)
		}
	}
}

// TestSchemaAndParserAgreeOnKeys puts every key that any map knows, and some that none does, into every kind of map: either both
// know it there or neither does.
func TestSchemaAndParserAgreeOnKeys(t *testing.T) {
	s := compile(t)
	var keys []string
	collect(topo.Generic(topo.Schema()), &keys)
	keys = append(keys, "faults", "link", "vlan", "restart", "frr", "bird", "nft", "devices", "wireguard", "delay", "loss", "bogus", "Nodes", "x_")
	slices.Sort(keys)
	for _, place := range []string{
		"{%s: null}", "{defaults: {%s: null}}", "{nets: {a: {%s: null}}}", "{links: [{a -- b: {%s: null}}]}", "{nets: {a: {uplink: {%s: null}}}}",
		"{nets: {a: [{m: {%s: null}}]}}", "{nodes: {n: {%s: null}}}", "{nodes: {n: {nat: [{%s: null}]}}}", "{nodes: {n: {allow: {%s: null}}}}",
		"{nodes: {n: {deny: {%s: null}}}}", "{nodes: {n: {services: {s: {%s: null}}}}}", "{nodes: {n: {services: {s: {ready: {%s: null}}}}}}",
	} {
		for _, key := range slices.Compact(slices.Clone(keys)) {
			text := fmt.Sprintf(place, key)
			_, err := topo.Parse("x", []byte(text))
			parser := true
			for _, p := range topo.Problems(err) {
				if strings.HasPrefix(p.Msg, `unknown key "`) || strings.HasSuffix(p.Msg, "not supported yet") {
					parser = false
				}
			}
			schema := true
			if err := s.Validate(topo.Generic([]byte(text))); err != nil {
				schema = !strings.Contains(fmt.Sprint(err), "additional properties '"+key+"' not allowed")
			}
			if parser != schema {
				t.Errorf("%s: the parser knows the key: %v, the schema: %v", text, parser, schema)
			}
		}
	}
}

// collect finds the names of all properties of a schema.
func collect(v any, keys *[]string) {
	switch v := v.(type) {
	case map[string]any:
		if props, ok := v["properties"].(map[string]any); ok {
			for k := range props {
				*keys = append(*keys, k)
			}
		}
		for _, x := range v {
			collect(x, keys)
		}
	case []any:
		for _, x := range v {
			collect(x, keys)
		}
	}
}
