package nft_test

import (
	"testing"

	"warren/internal/nft"
	"warren/state"
)

func BenchmarkReadTableThatIsNotThere(b *testing.B) {
	c := world(b)
	b.ReportAllocs()
	for b.Loop() {
		if table, err := nft.ReadTable(b.Context(), c, "inet", state.FirewallTable); err != nil || table != nil {
			b.Fatal(table, err)
		}
	}
}

func BenchmarkReadTable(b *testing.B) {
	c := world(b)
	table := nodeTable()
	if err := nft.Apply(c, []nft.Op{{Replace: &table}}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if got, err := nft.ReadTable(b.Context(), c, "inet", state.FirewallTable); err != nil || got == nil {
			b.Fatal(got, err)
		}
	}
}

func BenchmarkReplaceTable(b *testing.B) {
	c := world(b)
	table := nodeTable()
	b.ReportAllocs()
	for b.Loop() {
		if err := nft.Apply(c, []nft.Op{{Replace: &table}}); err != nil {
			b.Fatal(err)
		}
	}
}
