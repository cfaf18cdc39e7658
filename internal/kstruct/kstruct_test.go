package kstruct_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/kstruct"
)

func TestReasonNames(t *testing.T) {
	r := kstruct.DropReasons{3: "NO_SOCKET"}
	var got []string
	for _, n := range []uint32{3, 4, 0x20005} {
		got = append(got, r.Name(n))
	}
	got = append(got, kstruct.DropReasons(nil).Name(0)) // Linux 5.16
	if diff := cmp.Diff([]string{"NO_SOCKET", "REASON_4", "SUBSYSTEM_2_5", "NOT_SPECIFIED"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFunctions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kallsyms")
	text := "0000000000000000 T hidden\nffff000000000010 T first.isra.0\nffff000000000018 d data\nffff000000000020 t second\t[module]\nnonsense\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got := maps.Collect(kstruct.Functions(path))
	if diff := cmp.Diff(map[uint64]string{0xffff000000000010: "first", 0xffff000000000020: "second"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for range kstruct.Functions(path + ".none") {
		t.Error("a file that is not there has functions")
	}
}

func TestHint(t *testing.T) {
	if err := kstruct.Hint(os.ErrPermission); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "hint: ") {
		t.Errorf("%v", err)
	}
	if err := kstruct.Hint(os.ErrClosed); !errors.Is(err, os.ErrClosed) || strings.Contains(err.Error(), "hint: ") {
		t.Errorf("%v", err)
	}
}
