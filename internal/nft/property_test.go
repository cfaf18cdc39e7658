package nft_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"pgregory.net/rapid"

	"warren/internal/nft"
	"warren/state"
)

// reread decodes what is encoded, without a kernel in between.
func reread(table state.Table) (state.Table, error) {
	reqs, err := nft.Encode([]nft.Op{{Replace: &table}})
	if err != nil {
		return state.Table{}, err
	}
	msgs := make([]netlink.Message, len(reqs))
	for i, r := range reqs {
		msgs[i] = netlink.Message{Header: netlink.Header{Type: r.Type}, Data: r.Data}
	}
	tables, err := nft.Decode(msgs)
	if err != nil {
		return state.Table{}, err
	}
	if len(tables) != 1 {
		return state.Table{}, errors.New("not one table")
	}
	return tables[0], nil
}

func TestDecodeOfEncodeIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := genTable(t)
		got, err := reread(table)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(table.Canonical(), got.Canonical()); diff != "" {
			t.Fatalf("-encoded +decoded:\n%s\n%s", diff, nft.Text(table))
		}
	})
}

func TestReadOfWrittenIsTheSame(t *testing.T) {
	c := world(t)
	rapid.Check(t, func(t *rapid.T) {
		table := genTable(t)
		if err := nft.Apply(c, []nft.Op{{Replace: &table}}); err != nil {
			t.Fatalf("%v\n%s", err, nft.Text(table))
		}
		got, err := nft.ReadTable(t.Context(), c, table.Family, table.Name)
		if err != nil || got == nil {
			t.Fatal(got, err)
		}
		if diff := cmp.Diff(table.Canonical(), got.Canonical()); diff != "" {
			t.Fatalf("-written +read:\n%s\n%s", diff, nft.Text(table))
		}
		if err := nft.Apply(c, []nft.Op{{Delete: &table}}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTableAsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := genTable(t).Canonical()
		b, err := json.Marshal(table)
		if err != nil {
			t.Fatal(err)
		}
		var got state.Table
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(table, got); diff != "" {
			t.Fatalf("-before +after:\n%s", diff)
		}
	})
}

func TestCanonicalTwiceIsCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := genTable(t).Canonical()
		if diff := cmp.Diff(table, table.Canonical()); diff != "" {
			t.Fatal(diff)
		}
	})
}
