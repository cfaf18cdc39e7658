package live_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"testing"

	"warren/internal/kerneltest"
	"warren/internal/live"
	"warren/netns"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

func TestTry(t *testing.T) {
	var places []live.Place
	sh(t, R3)
	for _, n := range []string{"a", "r", "b"} {
		h, err := netns.Open(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, live.Place{Name: n, Cookie: h.Cookie(), NS: h})
	}
	r, err := live.Run(context.Background(), live.Options{Question: live.Question{Proto: 1, Dst: netip.MustParseAddr("10.0.2.2")}, Places: places})
	if err != nil {
		t.Fatal(err)
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", " ")
	e.Encode(r)
}
