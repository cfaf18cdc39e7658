package iproute_test

import (
	"regexp"
	"strings"
	"testing"

	"warren/internal/kerneltest"
)

// TestTuntap runs each line with iproute2 and with us, in twin namespaces.
func TestTuntap(t *testing.T) {
	kerneltest.Need(t, "tun")
	lines := strings.Split(strings.TrimSpace(`
tuntap
-j tuntap
tuntap add dev t0 mode tun
tuntap add t1 mode tap user nobody group 5 multi_queue
tuntap add t2 mode tun pi vnet_hdr one_queue
tuntap add mode tap user 12345
tuntap add mode tun
tuntap a t3 mo tap gr tty
tap add t4 mode tun multi_queue pi
tuntap add t%d mode tun
tuntap add t0 mode tun
tuntap add t0 mode tap
tuntap add t8
tuntap add
tuntap add t8 mode
tuntap add t8 mode tup
tuntap add t8 mode tun mode tap
tuntap add t8 mode tun mode tun
tuntap add t9 t10 mode tun
tuntap add dev t11 name t12 mode tun
tuntap add dev t11 dev t12 mode tun
tuntap add t13 mode tun user nosuchuser
tuntap add t13 mode tun group nosuchgroup
tuntap add t13 mode tun user 0x5
tuntap add t13 mode tun user -1
tuntap add t14 mode tun user 4294967295
tuntap add this-name-is-too-long mode tun
tuntap add dev a/b mode tun
tuntap
tuntap show
tuntap list what ever
-j tuntap
-j -p tuntap
-d tuntap
-j -d tuntap
-o tuntap
-br tuntap
tuntap foo
tuntap help
tuntap del t0
tuntap del t0 mode tap
tuntap del t0 mode tun user 5
-d link show type tun
tuntap del t0 mode tun
tuntap del t1 mode tap multi_queue
tuntap del t1 mode tap
tuntap del nosuchlink mode tun
tuntap del t2 mode tun
tuntap d t4 mode tun multi_queue
tuntap
-o link show type tun
-br link show type tun
-d link show type tun
-d -j link show type tun
-d -j -p link show type tun
-d -o link show t1
link del t3
tuntap
`), "\n")
	program := self(t)
	for _, name := range []string{"theirs", "ours"} {
		if r := theirs(t, "", "ip", "netns", "add", name); r.Code != 0 {
			t.Fatal(r.Err)
		}
		defer theirs(t, "", "ip", "netns", "del", name)
	}
	for _, line := range lines {
		want := theirs(t, "", append([]string{"ip", "-n", "theirs"}, strings.Fields(line)...)...)
		got := run(t, program, append([]string{"ip", "-n", "ours"}, strings.Fields(line)...)...)
		want.Out, got.Out = withoutMAC(want.Out), withoutMAC(got.Out)
		compare(t, line, got, want)
	}
}

// withoutMAC takes away addresses that the kernel drew by lot.
func withoutMAC(text string) string {
	return regexp.MustCompile(`([0-9a-f]{2}:){5}[0-9a-f]{2}`).ReplaceAllString(text, "MAC")
}
