package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"unsafe"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/xt"
	"warren/state"
)

// readEBTables reads the tables of legacy ebtables of the namespace that the calling thread is in, where it has a bridge. Since
// Linux 5.15 a table comes into being when somebody asks for it, and no file lists those that are there: the hooks of netfilter
// tell (nfnetlink_hook, Linux 5.14). Where the kernel does not list them, the tables are not asked for, and an agent says so.
func (o *observation) readEBTables(r *reading) error {
	c := &r.ns.Contents
	if !slices.ContainsFunc(c.Links, func(l state.Link) bool { return l.Kind == "bridge" }) || !o.haveEBTables() {
		return nil
	}
	names, told, err := o.ebTableNames()
	if err != nil {
		return err
	}
	if !told {
		c.Agents = append(c.Agents, state.Agent{Kind: "ebtables", Name: "tables, if there are any (this kernel lists them for nobody without making them)"})
		return nil
	}
	if len(names) == 0 {
		return nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var errs []error
	for _, name := range names {
		t, err := readEBTable(fd, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		c.EBTables = append(c.EBTables, t)
	}
	return errors.Join(errs...)
}

// haveEBTables reports whether the kernel has legacy ebtables in memory. It is asked for a table at an address that nobody can
// read: who answers for the option says so, and does nothing.
func (o *observation) haveEBTables() bool {
	o.ebtablesOnce.Do(func() {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			return
		}
		defer unix.Close(fd)
		n := uint32(xt.EBReplaceLen)
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_IP, xt.EBGetInfo, 1, uintptr(unsafe.Pointer(&n)), 0)
		o.ebtables = errno == unix.EFAULT
	})
	return o.ebtables
}

// NFNL_SUBSYS_HOOK and its attributes (linux/netfilter/nfnetlink_hook.h).
const (
	hookGet                                = 12 << 8
	hookNumber, hookPriority, hookFunction = 1, 2, 4
)

// ebTableNames lists the tables that a namespace has. told is false where the kernel does not tell without making them.
func (o *observation) ebTableNames() (names []string, told bool, err error) {
	conn, err := openSocket(unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, false, err
	}
	defer conn.Close()
	for hook := range uint32(5) {
		body := appendAttr([]byte{unix.NFPROTO_BRIDGE, 0, 0, 0}, hookNumber, binary.BigEndian.AppendUint32(nil, hook))
		msgs, err := conn.Dump(o.ctx, nl.Request{Type: hookGet, Data: body})
		switch {
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP):
			names, told = olderEBTables()
			return names, told, nil
		case errors.Is(err, unix.ENOENT):
			continue // nobody is there
		case err != nil && !errors.Is(err, nl.ErrInconsistent):
			return nil, false, err
		}
		for _, m := range msgs {
			if name := DecodeEBHook(m); name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, true, nil
}

// DecodeEBHook says which table of legacy ebtables an entry of NFNL_MSG_HOOK_GET is of; "" = of none. Tables are told apart by
// their priorities (NF_BR_PRI_*).
func DecodeEBHook(m netlink.Message) string {
	if len(m.Data) < 4 {
		return ""
	}
	d, err := netlink.NewAttributeDecoder(m.Data[4:])
	if err != nil {
		return ""
	}
	d.ByteOrder = binary.BigEndian
	var priority int32
	function := ""
	for d.Next() {
		switch d.Type() {
		case hookPriority:
			priority = int32(d.Uint32())
		case hookFunction:
			function = d.String()
		}
	}
	if d.Err() != nil || !strings.HasPrefix(function, "ebt_") {
		return ""
	}
	switch priority {
	case -200, 200:
		return "filter"
	case -300, 100, 300:
		return "nat"
	}
	return "broute"
}

// olderEBTables lists the tables before Linux 5.15, in which every namespace has those whose modules are loaded.
func olderEBTables() (names []string, told bool) {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return nil, false
	}
	var major, minor int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &major, &minor); err != nil || major > 5 || major == 5 && minor >= 15 {
		return nil, false
	}
	for _, name := range []string{"broute", "filter", "nat"} {
		if _, err := os.Stat("/sys/module/ebtable_" + name); err == nil {
			names = append(names, name)
		}
	}
	return names, len(names) > 0
}

func readEBTable(fd int, name string) (state.EBTable, error) {
	for range xtAttempts {
		info := make([]byte, xt.EBReplaceLen)
		copy(info, name)
		if err := getsockopt(fd, unix.IPPROTO_IP, xt.EBGetInfo, info); err != nil {
			return state.EBTable{}, err
		}
		in, err := xt.DecodeEBInfo(info)
		if err != nil {
			return state.EBTable{}, err
		}
		entries := make([]byte, max(in.Size, 1))
		ask := make([]byte, xt.EBReplaceLen)
		copy(ask, name)
		binary.NativeEndian.PutUint32(ask[xt.EBCountAt:], in.Entries)
		binary.NativeEndian.PutUint32(ask[xt.EBSizeAt:], in.Size)
		binary.NativeEndian.PutUint64(ask[xt.EBEntriesAt:], uint64(uintptr(unsafe.Pointer(&entries[0]))))
		n := uint32(xt.EBReplaceLen) + in.Size
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_IP, xt.EBGetEntries,
			uintptr(unsafe.Pointer(&ask[0])), uintptr(unsafe.Pointer(&n)), 0)
		runtime.KeepAlive(entries)
		if errno == unix.EINVAL {
			continue // another size meanwhile
		}
		if errno != 0 {
			return state.EBTable{}, errno
		}
		return xt.DecodeEBTable(in, entries[:in.Size])
	}
	return state.EBTable{}, errors.New("it changed during each attempt to read it")
}
