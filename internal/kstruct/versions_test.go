package kstruct_test

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"

	"warren/internal/kerneltest"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// A kernel is what differs between versions of what the programs need.
type kernel struct {
	version        string
	reason, socket bool // arguments of kfree_skb
	id             bool // the namespace's cookie is called ns.ns_id
}

// types are a kernel's, as far as the programs need them. Where fields are is of no meaning.
func (k kernel) types(t *testing.T) *btf.Spec {
	t.Helper()
	u16 := &btf.Int{Name: "short unsigned int", Size: 2}
	u32 := &btf.Int{Name: "unsigned int", Size: 4}
	u64 := &btf.Int{Name: "long long unsigned int", Size: 8}
	number := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	char := &btf.Int{Name: "char", Size: 1}
	pointer := &btf.Pointer{Target: (*btf.Void)(nil)}
	// structure puts fields one behind the other, each in 16 bytes.
	structure := func(name string, fields ...btf.Member) *btf.Struct {
		for i := range fields {
			fields[i].Offset = btf.Bits(i * 128)
		}
		return &btf.Struct{Name: name, Size: uint32(len(fields) * 16), Members: fields}
	}
	net := structure("net")
	common := structure("ns_common", btf.Member{Name: "stashed", Type: pointer}, btf.Member{Name: "inum", Type: u32})
	if k.id { // in a union without a name
		common = structure("ns_common", btf.Member{Name: "inum", Type: u32}, btf.Member{Type: structure("", btf.Member{Name: "ns_id", Type: u64})})
	}
	*net = *structure("net", btf.Member{Name: "passive", Type: u32}, btf.Member{Name: "ns", Type: common})
	if !k.id {
		*net = *structure("net", btf.Member{Name: "ns", Type: common}, btf.Member{Name: "net_cookie", Type: u64})
	}
	possible := &btf.Typedef{Name: "possible_net_t", Type: structure("", btf.Member{Name: "net", Type: &btf.Pointer{Target: net}})}
	dev := structure("net_device",
		btf.Member{Name: "name", Type: &btf.Array{Index: u32, Type: char, Nelems: 16}}, btf.Member{Name: "ifindex", Type: number},
		btf.Member{Name: "nd_net", Type: possible})
	sock := structure("sock", btf.Member{Name: "__sk_common", Type: structure("sock_common", btf.Member{Name: "skc_net", Type: possible})})
	skb := structure("sk_buff",
		btf.Member{Type: structure("", btf.Member{Name: "dev", Type: &btf.Pointer{Target: dev}})}, btf.Member{Name: "sk", Type: &btf.Pointer{Target: sock}},
		btf.Member{Name: "head", Type: &btf.Pointer{Target: char}}, btf.Member{Name: "network_header", Type: u16}, btf.Member{Name: "protocol", Type: u16})
	arguments := []btf.Member{{Name: "skbaddr", Type: pointer}, {Name: "location", Type: pointer}}
	if k.reason {
		arguments = append(arguments, btf.Member{Name: "reason", Type: &btf.Enum{Name: "skb_drop_reason", Size: 4, Values: []btf.EnumValue{{Name: "SKB_NOT_DROPPED_YET"}}}})
	}
	if k.socket {
		arguments = append(arguments, btf.Member{Name: "rx_sk", Type: pointer})
	}
	b, err := btf.NewBuilder([]btf.Type{skb, structure("trace_event_raw_kfree_skb", arguments...)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Marshal(nil, &btf.MarshalOptions{Order: binary.LittleEndian})
	if err != nil {
		t.Fatal(err)
	}
	spec, err := btf.LoadSpecFromReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// TestVersions loads the programs as for other versions of the kernel; they are attached nowhere. An argument that a tracepoint
// does not have must not be read, for then it cannot be attached.
func TestVersions(t *testing.T) {
	kerneltest.Need(t, "bpf-syscall")
	kerneltest.LeakCheck(t)
	for _, k := range []kernel{
		{version: "5.14"},
		{version: "5.17", reason: true},
		{version: "6.10", reason: true, socket: true},
		{version: "6.18", reason: true, socket: true, id: true},
	} {
		for _, source := range programs(t) {
			t.Run(k.version+"/"+filepath.Base(source), func(t *testing.T) {
				spec, err := ebpf.LoadCollectionSpec(filepath.Join(root, strings.TrimSuffix(source, ".c")+".o"))
				if err != nil {
					t.Fatal(err)
				}
				c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Programs: ebpf.ProgramOptions{KernelTypes: k.types(t)}})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				for name, p := range c.Programs {
					if spec.Programs[name].AttachTo != "kfree_skb" {
						continue
					}
					for i, want := range []bool{true, k.reason, k.socket} {
						if got := reads(t, p, int16(8*(i+1))); got != want {
							t.Errorf("%s reads argument %d: %v", name, i+1, got)
						}
					}
				}
			})
		}
	}
}

// reads reports whether a loaded program loads a word from there of its context: nothing else is read by such offsets.
func reads(t *testing.T, p *ebpf.Program, offset int16) bool {
	t.Helper()
	info, err := p.Info()
	if err != nil {
		t.Fatal(err)
	}
	list, err := info.Instructions()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(list, func(ins asm.Instruction) bool {
		return ins.OpCode.Class() == asm.LdXClass && ins.OpCode.Size() == asm.DWord && ins.Src != asm.RFP && ins.Offset == offset
	})
}
