package kstruct_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/google/go-cmp/cmp"
)

// root of the checkout, from here.
const root = "../.."

// programs are the sources of all BPF programs, from the root.
func programs(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(root, "internal", "*", "bpf", "*.c"))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 2 {
		t.Fatalf("only %v", list)
	}
	for i, path := range list {
		if list[i], err = filepath.Rel(root, path); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// sums are the files that an object was made of, and itself, with what they had to be, as tools/bpf wrote them.
func sums(t *testing.T, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if sum, name, ok := strings.Cut(strings.TrimSpace(line), "  "); ok && !strings.HasPrefix(line, "#") {
			list[name] = sum
		}
	}
	return list
}

// includes are the files of ours that a source needs, itself among them.
func includes(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	list := []string{path}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "#include "); ok {
			list = append(list, includes(t, filepath.Join(filepath.Dir(path), strings.Trim(name, `"`)))...)
		}
	}
	return list
}

// TestObjectsAreOfTheirSources: whoever changes a program, or how it is compiled, compiles it again.
func TestObjectsAreOfTheirSources(t *testing.T) {
	for _, source := range programs(t) {
		base := strings.TrimSuffix(source, ".c")
		want := append(includes(t, source), "tools/bpf", base+".o")
		slices.Sort(want)
		want = slices.Compact(want)
		wrote := sums(t, base+".sum")
		got := make(map[string]string, len(want))
		for _, name := range want {
			b, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			got[name] = fmt.Sprintf("%x", sha256.Sum256(b))
		}
		if diff := cmp.Diff(wrote, got); diff != "" {
			t.Errorf("%s.o is not of its sources: go generate ./%s (-%s.sum +files):\n%s", base, filepath.Dir(filepath.Dir(source)), base, diff)
		}
	}
}

// TestObjectsUseTracepointsOnly: kprobes and fentry are often missing. The machines that releases are for are little endian.
func TestObjectsUseTracepointsOnly(t *testing.T) {
	for _, source := range programs(t) {
		spec, err := ebpf.LoadCollectionSpec(filepath.Join(root, strings.TrimSuffix(source, ".c")+".o"))
		if err != nil {
			t.Fatal(err)
		}
		if spec.ByteOrder != binary.LittleEndian || len(spec.Programs) == 0 {
			t.Errorf("%s: %v, %d programs", source, spec.ByteOrder, len(spec.Programs))
		}
		for name, p := range spec.Programs {
			if p.Type != ebpf.RawTracepoint || p.License != "GPL" || p.AttachTo == "" || len(name) > 15 {
				t.Errorf("%s: %s is %s, %q, at %q", source, name, p.Type, p.License, p.AttachTo)
			}
		}
	}
}
