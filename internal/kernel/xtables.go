package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"warren/internal/xt"
	"warren/state"
)

// xtAttempts is how often a table is read when others keep changing it.
const xtAttempts = 6

// readXTables reads the legacy tables of the namespace that the calling thread is in. Asking for a table makes it, hooks
// and all, where it is not there yet. So only those that the kernel lists are asked for.
func readXTables(files *netFiles) ([]state.XTable, error) {
	var tables []state.XTable
	var errs []error
	for _, f := range []struct {
		names         string
		domain, level int
		v6            bool
	}{{"ip_tables_names", unix.AF_INET, unix.IPPROTO_IP, false}, {"ip6_tables_names", unix.AF_INET6, unix.IPPROTO_IPV6, true}} {
		b, err := files.read(f.names)
		if errors.Is(err, unix.ENOENT) || err == nil && len(b) == 0 {
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		names := strings.Fields(string(b))
		slices.Sort(names)
		if len(names) == 0 {
			continue
		}
		fd, err := unix.Socket(f.domain, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, name := range names {
			t, err := readXTable(fd, f.level, name, f.v6)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
				continue
			}
			tables = append(tables, t)
		}
		_ = unix.Close(fd)
	}
	return tables, errors.Join(errs...)
}

func readXTable(fd, level int, name string, v6 bool) (state.XTable, error) {
	if len(name) > xt.MaxTableName {
		return state.XTable{}, fmt.Errorf("name of table %q: %w", name, unix.ENAMETOOLONG)
	}
	for range xtAttempts {
		buf := make([]byte, xt.InfoLen)
		copy(buf, name)
		if err := getsockopt(fd, level, xt.GetInfo, buf); err != nil {
			return state.XTable{}, err
		}
		info, err := xt.DecodeInfo(buf)
		if err != nil {
			return state.XTable{}, err
		}
		buf = make([]byte, xt.EntriesHead+int(info.Size))
		copy(buf, name)
		binary.NativeEndian.PutUint32(buf[32:], info.Size)
		err = getsockopt(fd, level, xt.GetEntries, buf)
		if errors.Is(err, unix.EAGAIN) {
			continue // another size meanwhile
		}
		if err != nil {
			return state.XTable{}, err
		}
		return xt.DecodeTable(info, buf[xt.EntriesHead:], v6)
	}
	return state.XTable{}, errors.New("it changed during each attempt to read it")
}

// getsockopt fills all of buf.
func getsockopt(fd, level, opt int, buf []byte) error {
	n := uint32(len(buf))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(opt),
		uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&n)), 0)
	if errno != 0 {
		return errno
	}
	if int(n) != len(buf) {
		return fmt.Errorf("%w: %d of %d bytes", xt.ErrMalformed, n, len(buf))
	}
	return nil
}
