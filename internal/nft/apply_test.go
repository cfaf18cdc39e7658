package nft_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/nft"
	. "warren/state" //nolint:revive // rules read as phrases
)

// ports is a map of published ports in a table of its own.
func ports(elements ...Element) Table {
	return Table{Family: "inet", Name: "t", Sets: []Set{
		MapOf("ports", []DataType{TypeProto, TypePort}, []DataType{TypeIPv4, TypePort}, elements...),
	}}
}

func published(port uint16, to string, owner string) Element {
	return MapElem([]Value{ProtoValue("tcp"), PortValue(port)}, AddrValue(netip.MustParseAddr(to)), PortValue(80)).WithComment(owner)
}

func inPorts(elements ...Element) *nft.Elements {
	return &nft.Elements{Family: "inet", Table: "t", Set: ports(elements...).Sets[0]}
}

func TestThousandsOfPortsInOneTransaction(t *testing.T) {
	for _, tc := range []struct {
		name  string
		ports int
		needs []string
	}{
		{"what-a-usual-send-buffer-takes", 2500, nil},
		{"more", 20000, []string{"root"}}, // only root may have a larger one
	} {
		t.Run(tc.name, func(t *testing.T) {
			kerneltest.Need(t, tc.needs...)
			publishMany(t, tc.ports)
		})
	}
}

func publishMany(t *testing.T, n int) {
	c := world(t)
	table := ports()
	var list []Element
	for i := range n {
		list = append(list, published(uint16(i+1), "10.0.0.1", fmt.Sprintf("lab-with-a-long-name/node%d", i)))
	}
	before, err := nft.Generation(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := nft.Apply(c, []nft.Op{{Replace: &table}, {AddElements: inPorts(list...)}}); err != nil {
		t.Fatal(err)
	}
	after, err := nft.Generation(c)
	if err != nil {
		t.Fatal(err)
	}
	if after != before+1 {
		t.Errorf("%d transactions, want 1", after-before)
	}
	got, err := nft.ReadTable(t.Context(), c, "inet", "t")
	if err != nil || got == nil {
		t.Fatal(got, err)
	}
	if diff := cmp.Diff(ports(list...).Canonical(), got.Canonical()); diff != "" {
		t.Errorf("-written +read:\n%.2000s", diff)
	}
	if err := nft.Apply(c, []nft.Op{{DeleteElements: inPorts(list...)}}); err != nil {
		t.Fatal(err)
	}
}

func TestRefusals(t *testing.T) {
	mine, theirs := published(80, "10.0.0.1", "a/x"), published(80, "10.0.0.2", "b/y")
	free := published(81, "10.0.0.2", "b/y")
	broken := Table{Family: "inet", Name: "u", Chains: []Chain{
		BaseChain("c", "filter", "forward", 0, "accept", RuleOf(Accept()), RuleOf(IifIs("a"), Jump("nowhere"))),
	}}
	for _, tc := range []struct {
		name string
		ops  []nft.Op
		want error
		text string
	}{
		{"taken-by-another", []nft.Op{{AddElements: inPorts(free, theirs)}}, unix.EEXIST, "add elements to nft set inet t ports (element tcp . 80): file exists"},
		{"taken-by-the-same", []nft.Op{{AddElements: inPorts(mine)}}, unix.EEXIST, "(element tcp . 80)"},
		{"delete-what-is-not-there", []nft.Op{{DeleteElements: inPorts(mine, free)}}, unix.ENOENT, "delete elements from nft set inet t ports (element tcp . 81): no such file"},
		{"delete-no-table", []nft.Op{{Delete: &Table{Family: "ip", Name: "none"}}}, unix.ENOENT, "delete nft table ip none: no such file"},
		{"add-to-no-set", []nft.Op{{AddElements: &nft.Elements{Family: "inet", Table: "none", Set: ports(mine).Sets[0]}}}, unix.ENOENT, "nft set inet none ports"},
		{"jump-nowhere", []nft.Op{{AddElements: inPorts(free)}, {Replace: &broken}}, unix.ENOENT, `replace nft table inet u (rule 2 of chain c: iifname "a" jump nowhere)`},
		{"nat-in-a-filter-chain", []nft.Op{{Replace: &Table{Family: "inet", Name: "u", Chains: []Chain{
			BaseChain("c", "filter", "postrouting", 0, "accept", RuleOf(Masquerade())),
		}}}}, unix.EOPNOTSUPP, "rule 1 of chain c: masquerade"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := world(t)
			table := ports(mine)
			if err := nft.Apply(c, []nft.Op{{Replace: &table}}); err != nil {
				t.Fatal(err)
			}
			before := witness(t, "", "list", "ruleset")
			err := nft.Apply(c, tc.ops)
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("got %v, want %v and %q", err, tc.want, tc.text)
			}
			op, ok := errors.AsType[*nft.OpError](err)
			if !ok || op.Index != len(tc.ops)-1 {
				t.Errorf("%#v does not blame change %d", op, len(tc.ops)-1)
			}
			if diff := cmp.Diff(before, witness(t, "", "list", "ruleset")); diff != "" {
				t.Errorf("something was done nevertheless:\n%s", diff)
			}
		})
	}
}

func TestWhatCannotBeWrittenIsRefusedBeforehand(t *testing.T) {
	rule := func(e ...[]Expr) Table {
		return Table{Family: "inet", Name: "t", Chains: []Chain{SubChain("c", RuleOf(e...))}}
	}
	port := PortValue(80)
	for _, tc := range []struct {
		name  string
		table Table
		text  string
	}{
		{"port-of-an-unknown-protocol", rule(Is(PayloadOf("tcp", "dport"), port)), `rule 1 of chain c (tcp dport 80): not a firewall rule that warren can write: "tcp dport", but nothing before it`},
		{"address-of-an-unknown-family", rule(Is(Saddr(false), AddrValue(netip.MustParseAddr("1.2.3.4")))), `"ip saddr"`},
		{"port-of-another-protocol", rule(ProtoOneOf("udp"), Is(PayloadOf("tcp", "dport"), port)), `"tcp dport"`},
		{"unknown-set", rule(InSet("nope", MetaOf("iifname"))), `no set "nope"`},
		{"types-differ", rule(MetaIs("mark", port)), "mark of 4 bytes compared with a inet_service of 2"},
		{"family", Table{Family: "ipx", Name: "t"}, `family "ipx"`},
		{"name", Table{Family: "ip"}, `table name ""`},
		{"hook", Table{Family: "ip", Name: "t", Chains: []Chain{BaseChain("c", "filter", "ingress", 0, "accept")}}, `no hook "ingress"`},
		{"comment", Table{Family: "ip", Name: "t", Comment: strings.Repeat("x", 128)}, "128 bytes, the limit is 127"},
		{"empty-expression", rule([]Expr{{}}), "empty expression"},
		{"reject", rule(RejectWith("flowers")), `reject with "flowers"`},
		{"set-without-key", Table{Family: "ip", Name: "t", Sets: []Set{{Name: "s"}}}, "key type"},
		{"element-length", Table{Family: "ip", Name: "t", Sets: []Set{SetOf("s", false, []DataType{TypePort}, Elem(Value{Type: TypePort, Data: "x"}))}}, "1 bytes, want 2"},
		{"interval-backwards", Table{Family: "ip", Name: "t", Sets: []Set{SetOf("s", true, []DataType{TypePort}, ElemPorts(PortRange{First: 9, Last: 1}))}}, "ends before it starts"},
		{"data-in-a-set", Table{Family: "ip", Name: "t", Sets: []Set{SetOf("s", false, []DataType{TypePort}, MapElem([]Value{port}, port))}}, "with data in a set"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := nft.Encode([]nft.Op{{Replace: &tc.table}})
			if !errors.Is(err, nft.ErrUnsupported) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("got %v, want %q", err, tc.text)
			}
		})
	}
}

func TestIntervalElements(t *testing.T) {
	c := world(t)
	set := func(p ...string) Set {
		s := SetOf("s", true, []DataType{TypeIfname, TypeIPv4})
		for _, p := range p {
			s.Elements = append(s.Elements, ElemConcatPrefix(netip.MustParsePrefix(p), IfnameValue("w0")).WithComment("lab/net"))
		}
		return s
	}
	one := func(p ...string) Set {
		s := SetOf("o", true, []DataType{TypeIPv4})
		for _, p := range p {
			s.Elements = append(s.Elements, ElemPrefix(netip.MustParsePrefix(p)))
		}
		return s
	}
	table := Table{Family: "inet", Name: "t", Sets: []Set{one("10.0.0.0/24"), set("10.0.0.0/24")}}
	if err := nft.Apply(c, []nft.Op{{Replace: &table}}); err != nil {
		t.Fatal(err)
	}
	change := func(s Set) *nft.Elements { return &nft.Elements{Family: "inet", Table: "t", Set: s} }
	if err := nft.Apply(c, []nft.Op{
		{AddElements: change(set("10.0.1.0/24"))},
		{AddElements: change(one("10.0.1.0/24", "255.0.0.0/8", "0.0.0.0/8"))},
		{DeleteElements: change(set("10.0.0.0/24"))},
		{DeleteElements: change(one("10.0.0.0/24"))},
	}); err != nil {
		t.Fatal(err)
	}
	want := Table{Family: "inet", Name: "t", Sets: []Set{one("0.0.0.0/8", "10.0.1.0/24", "255.0.0.0/8"), set("10.0.1.0/24")}}
	got, err := nft.ReadTable(t.Context(), c, "inet", "t")
	if err != nil || got == nil {
		t.Fatal(got, err)
	}
	if diff := cmp.Diff(want.Canonical(), got.Canonical()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := nft.Apply(c, []nft.Op{{AddElements: change(set("10.0.1.128/25"))}}); !errors.Is(err, unix.EEXIST) {
		t.Errorf("an overlapping prefix: got %v, want EEXIST", err)
	}
}

func TestReadOfNothing(t *testing.T) {
	c := world(t)
	if tables, err := nft.Read(t.Context(), c); err != nil || tables != nil {
		t.Errorf("got %v, %v", tables, err)
	}
	if table, err := nft.ReadTable(t.Context(), c, "inet", FirewallTable); err != nil || table != nil {
		t.Errorf("got %v, %v", table, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := nft.Read(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
}

func TestReadTableReadsOnlyThat(t *testing.T) {
	c := world(t)
	witness(t, `table inet warren { set s { type mark; elements = { 1 }; }; chain c { accept; }; }
		table inet other { set s { type mark; elements = { 2 }; }; chain c { drop; }; }
		table ip warren { chain c { return; }; }`, "-f", "-")
	got, err := nft.ReadTable(t.Context(), c, "inet", "warren")
	if err != nil || got == nil {
		t.Fatal(got, err)
	}
	want := "table inet warren {\n\tset s {\n\t\ttype mark\n\t\telements = { 0x00000001 }\n\t}\n\n\tchain c {\n\t\taccept\n\t}\n}\n"
	if diff := cmp.Diff(want, nft.Text(*got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestReadWhileRulesChange reads while another process replaces the table: what is read is always one whole version.
func TestReadWhileRulesChange(t *testing.T) {
	c := world(t)
	writer := world(t)
	version := func(n int) Table {
		s := SetOf("s", false, []DataType{TypeMark})
		chain := SubChain("c")
		for range n {
			chain.Rules = append(chain.Rules, RuleOf(MetaIs("mark", MarkValue(uint32(n))), Accept()))
			s.Elements = append(s.Elements, Elem(MarkValue(uint32(n*100+len(s.Elements)))))
		}
		return Table{Family: "inet", Name: "t", Sets: []Set{s}, Chains: []Chain{chain}}
	}
	stop, done := make(chan struct{}), make(chan error, 1)
	first := version(1)
	if err := nft.Apply(writer, []nft.Op{{Replace: &first}}); err != nil {
		t.Fatal(err)
	}
	go func() {
		for n := 1; ; n = n%40 + 1 {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			table := version(n)
			if err := nft.Apply(writer, []nft.Op{{Replace: &table}}); err != nil {
				done <- err
				return
			}
		}
	}()
	whole := 0
	for range 200 {
		tables, err := nft.Read(t.Context(), c)
		if errors.Is(err, nft.ErrChanged) {
			continue
		}
		if err != nil || len(tables) != 1 {
			t.Errorf("%v, %v", tables, err)
			break
		}
		whole++
		if diff := cmp.Diff(version(len(tables[0].Chains[0].Rules)).Canonical(), tables[0].Canonical()); diff != "" {
			t.Errorf("half of one version:\n%s", diff)
			break
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
	t.Logf("%d of 200 reads were of one version", whole)
}
