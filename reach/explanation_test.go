package reach_test

import (
	"flag"
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/reach"
)

var update = flag.Bool("update", false, "write docs/reasons.md")

const reasonsPage = "../docs/reasons.md"

func TestReasonsPage(t *testing.T) {
	want := reach.ReasonsPage()
	if *update {
		if err := os.WriteFile(reasonsPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(reasonsPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/reasons.md is not current: go test ./reach -update (-want +got):\n%s", diff)
	}
}

// Every code has exactly one explanation.
func TestExplanationsAreComplete(t *testing.T) {
	src, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[reach.Code]int{}
	for _, e := range reach.Explanations() {
		seen[e.Code]++
		if e.Means == "" || e.Looks == "" || e.See == "" || e.Fix == "" {
			t.Errorf("%s: the explanation has a hole: %+v", e.Code, e)
		}
	}
	codes := regexp.MustCompile(`Code = "([a-z0-9-]+)"`).FindAllSubmatch(src, -1)
	if len(codes) != len(seen) {
		t.Errorf("%d codes, %d explained", len(codes), len(seen))
	}
	for _, c := range codes {
		if n := seen[reach.Code(c[1])]; n != 1 {
			t.Errorf("%s is explained %d times", c[1], n)
		}
	}
}
