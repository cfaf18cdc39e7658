package kerneltest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Need skips the test, by name, when the kernel (or the machine) lacks one of the features. With WARREN_TEST=require in
// the environment it fails the test instead, if the feature is one that the kernel of continuous integration is known to
// have. Features:
//
//	veth bridge vxlan macvlan ifb dummy vlan ...   a kind of link
//	tbf htb ingress netem ...                      a queueing discipline
//	tun nftables iptables-legacy bridge-nf ipv6    what they say
//	bpf-syscall                                    BPF programs that are called, and BTF
//	root                                           the initial user namespace: every sysctl, no limits
//	exec:NAME                                      a program
func Need(t testing.TB, features ...string) {
	t.Helper()
	for _, f := range features {
		err := probe(f)
		switch {
		case err == nil:
		case os.Getenv("WARREN_TEST") == "require" && slices.Contains(known(), f):
			t.Fatalf("kernel feature %q is missing here, where it must not be: %v", f, err)
		default:
			t.Skipf("SKIPPED: kernel feature %q is missing: %v", f, err)
		}
	}
}

// known lists what the kernel and the image of continuous integration have.
func known() []string {
	return []string{
		"veth", "bridge", "vxlan", "macvlan", "tun", "ifb", "nftables", "iptables-legacy", "tbf", "htb", "ingress", "ipv6", "root",
		"bridge-nf", "exec:ip", "exec:nft", "exec:nsenter", "exec:lsns", "exec:findmnt", "exec:setpriv",
		"exec:unshare", "exec:python3", "exec:make", "exec:pasta", "exec:slirp4netns", "exec:curl",
		"exec:dockerd", "exec:docker", "exec:podman", "exec:containerd", "exec:ctr", "exec:runc", "exec:busybox", "exec:lxc-execute", "exec:bwrap",
		"exec:/usr/lib/cni/bridge",
		"exec:/usr/lib/podman/netavark", "exec:/usr/lib/podman/aardvark-dns", "exec:/usr/sbin/xtables-legacy-multi",
	}
}

func qdiscs() []string {
	return []string{"tbf", "htb", "ingress", "clsact", "netem", "fq_codel", "fq", "prio", "sfq", "pfifo", "bfifo", "hfsc", "cake", "red", "ets"}
}

func probe(feature string) error {
	if name, ok := strings.CutPrefix(feature, "exec:"); ok {
		_, err := exec.LookPath(name)
		return err
	}
	switch feature {
	case "tun":
		f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return f.Close()
	case "nftables":
		return probeNFTables()
	case "iptables-legacy":
		_, err := os.Stat("/proc/thread-self/net/ip_tables_names")
		return err
	case "bridge-nf":
		_, err := os.Stat("/proc/sys/net/bridge/bridge-nf-call-iptables")
		return err
	case "ipv6":
		_, err := os.Stat("/proc/sys/net/ipv6")
		return err
	case "root":
		return probeInitialUserNS()
	case "bpf-syscall":
		return probeBPF()
	}
	if slices.Contains(qdiscs(), feature) {
		return probeQdisc(feature)
	}
	return probeLink(feature)
}

// probeInitialUserNS looks at the uid map: only the initial user namespace maps all.
func probeInitialUserNS() error {
	b, err := os.ReadFile("/proc/thread-self/uid_map")
	if err != nil {
		return err
	}
	if f := strings.Fields(string(b)); len(f) != 3 || f[2] != "4294967295" {
		return fmt.Errorf("this is not the initial user namespace (uid map %q)", f)
	}
	if os.Geteuid() != 0 {
		return errors.New("not root")
	}
	return nil
}

// probeLink asks for a link with more queues than there can be: that is refused after the kind was found (and its
// module loaded), and before anything is made. An unknown kind is refused first, with EOPNOTSUPP.
func probeLink(kind string) error {
	b := make([]byte, unix.SizeofIfInfomsg)
	b = attribute(b, unix.IFLA_NUM_TX_QUEUES, []byte{0xff, 0xff, 0, 0})
	b = attribute(b, unix.IFLA_LINKINFO, attribute(nil, unix.IFLA_INFO_KIND, append([]byte(kind), 0)))
	err := ask(unix.NETLINK_ROUTE, unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK, b)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("link kind %s: %w", kind, err)
	}
	return nil
}

// sizeofTcMsg is the size of struct tcmsg (linux/rtnetlink.h).
const sizeofTcMsg = 20

// probeQdisc asks for a discipline on lo with a size table that lacks its parameters: refused after the kind was found.
// An unknown kind is refused first, with ENOENT.
func probeQdisc(kind string) error {
	b := make([]byte, sizeofTcMsg)
	b[4] = 1 // tcm_ifindex: lo
	parent := []byte{0xff, 0xff, 0xff, 0xff}
	if kind == "ingress" || kind == "clsact" {
		parent = []byte{0xf1, 0xff, 0xff, 0xff}
	}
	copy(b[12:], parent)
	b = attribute(b, unix.TCA_KIND, append([]byte(kind), 0))
	b = attribute(b, unix.TCA_STAB, nil)
	err := ask(unix.NETLINK_ROUTE, unix.RTM_NEWQDISC, unix.NLM_F_CREATE|unix.NLM_F_EXCL|unix.NLM_F_ACK, b)
	if errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("queueing discipline %s: %w", kind, err)
	}
	return nil
}

func probeNFTables() error {
	return ask(unix.NETLINK_NETFILTER, unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETGEN, 0, make([]byte, 4))
}
