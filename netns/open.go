package netns

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Open opens a namespace by any of the forms in which people name one:
//
//	NAME          a name below Dir
//	/PATH         a bind mount, or /proc/PID/ns/net
//	pid:N         where process N is
//	id:N          the namespace that the current one knows as N (ip netns list-id)
//	cookie:N      by its identity, see [Handle.Cookie]
//	container:ID  where a container's processes are: its ID, the beginning of that, or its name or its pod's
//	host          the current namespace
//
// A file below Dir wins over a prefix: a name may contain a colon. id: and cookie: look at every namespace that has a
// name, a mount, or a process, which takes a walk over /proc.
func Open(ctx context.Context, ref string) (*Handle, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, opError("open", ref, err)
	}
	if ref == "host" {
		return Current()
	}
	if filepath.IsAbs(ref) {
		return OpenPath(ref)
	}
	if err := CheckName(ref); err != nil {
		return nil, err
	}
	h, err := openFile(filepath.Join(Dir, ref), ref)
	if err == nil {
		h.name = ref
		return h, nil
	}
	if form, arg, ok := strings.Cut(ref, ":"); ok && errors.Is(err, ErrNotExist) {
		switch form {
		case "pid":
			return openPID(ref, arg)
		case "id":
			return openID(ctx, ref, arg)
		case "cookie":
			return openCookie(ctx, ref, arg)
		case "container":
			return openContainer(ctx, ref, arg)
		}
	}
	return nil, err
}

func openPID(ref, arg string) (*Handle, error) {
	pid, err := strconv.ParseUint(arg, 10, 31)
	if err != nil || pid == 0 {
		return nil, &OpError{Op: "open", Object: ref, Kind: ErrBadName, Err: err, Hint: "pid: wants the number of a process"}
	}
	h, err := openFile("/proc/"+strconv.FormatUint(pid, 10)+"/ns/net", ref)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &OpError{Op: "open", Object: ref, Kind: ErrNotExist, Err: err, Hint: "no such process"}
	}
	return h, err
}

func openCookie(ctx context.Context, ref, arg string) (*Handle, error) {
	cookie, err := strconv.ParseUint(arg, 10, 64)
	if err != nil || cookie == 0 {
		return nil, &OpError{Op: "open", Object: ref, Kind: ErrBadName, Err: err, Hint: "cookie: wants a number"}
	}
	return find(ctx, ref, func(h *Handle) (bool, error) { return h.cookie == cookie, nil })
}

func openID(ctx context.Context, ref, arg string) (*Handle, error) {
	id, err := strconv.ParseUint(arg, 10, 31)
	if err != nil {
		return nil, &OpError{Op: "open", Object: ref, Kind: ErrBadName, Err: err, Hint: "id: wants the number that ip netns list-id shows"}
	}
	ids, err := openIDs()
	if err != nil {
		return nil, opError("open", ref, err)
	}
	defer ids.close()
	return find(ctx, ref, func(h *Handle) (bool, error) {
		got, err := ids.of(h)
		return got == int(id), err
	})
}

// find goes through all namespaces that can be found and returns the first that matches.
func find(ctx context.Context, ref string, match func(*Handle) (bool, error)) (*Handle, error) {
	var result *Handle
	err := each(ctx, func(h *Handle) (bool, error) {
		ok, err := match(h)
		if ok && err == nil {
			result = h
			h.ref = ref
		}
		return ok, err
	})
	if err != nil {
		return nil, opError("find", ref, err)
	}
	if result == nil {
		return nil, &OpError{Op: "find", Object: ref, Kind: ErrNotExist, Hint: "seen are namespaces with a name, a mount or a process"}
	}
	return result, nil
}
