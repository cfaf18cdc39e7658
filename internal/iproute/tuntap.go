package iproute

import (
	"os"
	"os/user"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// tuntapObject is "ip tuntap": tun and tap links, which are made by whoever opens /dev/net/tun in their namespace and which
// stay when they are marked as persistent (linux/if_tun.h).
func tuntapObject(s *session, w *words) {
	word := w.peek()
	if !dispatch(s, w, []verb{
		{"show", tuntapShow},
		{"add", tuntapAdd},
		{"delete", tuntapDel},
		{"lst", tuntapShow},
		{"list", tuntapShow},
		{"help", func(*session, *words) { usageOf(tuntapUsage) }},
	}) {
		unknownVerb("tuntap", word)
	}
}

const tuntapUsage = `Usage: ip tuntap [ show ] [ dev LINK ]
       ip tuntap { add | del } [ dev LINK | name LINK ] mode { tap | tun } [ user USER ] [ group GROUP ]
                 [ multi_queue ] [ one_queue ] [ pi ] [ vnet_hdr ]`

// A tuntap is what the words say of a link.
type tuntap struct {
	name         string // "" = the kernel finds one; "t%d" too
	flags        uint16
	owner, group int64 // -1 = none
}

// words reads the words of add and, without owners, of del.
func (t *tuntap) words(w *words, owners bool) {
	*t = tuntap{flags: unix.IFF_NO_PI, owner: -1, group: -1}
	for ; w.more(); w.skip() {
		switch word := w.peek(); {
		case matches(word, "mode"):
			t.mode(w.next())
		case owners && matches(word, "user"):
			t.owner = numberOr(w.next(), "user", func(name string) (string, error) {
				u, err := user.Lookup(name)
				if err != nil {
					return "", err
				}
				return u.Uid, nil
			})
		case owners && matches(word, "group"):
			t.group = numberOr(w.next(), "group", func(name string) (string, error) {
				g, err := user.LookupGroup(name)
				if err != nil {
					return "", err
				}
				return g.Gid, nil
			})
		case matches(word, "pi"):
			t.flags &^= unix.IFF_NO_PI
		case matches(word, "one_queue"):
			t.flags |= unix.IFF_ONE_QUEUE
		case matches(word, "vnet_hdr"):
			t.flags |= unix.IFF_VNET_HDR
		case matches(word, "multi_queue"):
			t.flags |= unix.IFF_MULTI_QUEUE
		case matches(word, "dev"):
			t.name = tuntapName("dev", w.next())
		default:
			if matches(word, "name") {
				word = w.next()
			} else if matches(word, "help") {
				usageOf(tuntapUsage)
			}
			if t.name != "" {
				garbage("name", word)
			}
			t.name = tuntapName("name", word)
		}
	}
	if t.flags&(unix.IFF_TUN|unix.IFF_TAP) == 0 {
		fail(exitFailed, "You failed to specify a tunnel mode")
	}
}

func (t *tuntap) mode(word string) {
	var mode uint16
	switch {
	case matches(word, "tun"):
		mode = unix.IFF_TUN
	case matches(word, "tap"):
		mode = unix.IFF_TAP
	default:
		die("Unknown tunnel mode \"%s\"", word)
	}
	if t.flags&(unix.IFF_TUN|unix.IFF_TAP)&^mode != 0 {
		die("A link has one mode only.")
	}
	t.flags |= mode
}

func tuntapName(key, word string) string {
	if !goodLinkName(word, unix.IFNAMSIZ-1) {
		invalid("\""+key+"\" not a valid ifname", word)
	}
	return word
}

// numberOr reads the number of a user or group, or finds it by the name.
func numberOr(word, what string, find func(string) (string, error)) int64 {
	id := word
	if _, err := strconv.ParseInt(word, 10, 64); err != nil {
		if id, err = find(word); err != nil {
			die("invalid %s \"%s\"", what, word)
		}
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		die("invalid %s \"%s\"", what, word)
	}
	return int64(int32(n))
}

func tuntapAdd(s *session, w *words) {
	var t tuntap
	t.words(w, true)
	t.flags |= unix.IFF_TUN_EXCL
	s.control(&t, func(fd int) (string, error) {
		for _, c := range []struct {
			name    string
			request uint
			value   int64
			skip    bool
		}{
			{"TUNSETOWNER", unix.TUNSETOWNER, t.owner, t.owner == -1},
			{"TUNSETGROUP", unix.TUNSETGROUP, t.group, t.group == -1},
			{"TUNSETPERSIST", unix.TUNSETPERSIST, 1, false},
		} {
			if c.skip {
				continue
			}
			if err := unix.IoctlSetInt(fd, c.request, int(c.value)); err != nil {
				return c.name, err
			}
		}
		return "", nil
	})
}

func tuntapDel(s *session, w *words) {
	var t tuntap
	t.words(w, false)
	s.control(&t, func(fd int) (string, error) {
		return "TUNSETPERSIST", unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 0)
	})
}

// control opens the link in the namespace, making it when it is not there, and calls f with the descriptor. f names what it
// failed with.
func (s *session) control(t *tuntap, f func(fd int) (what string, err error)) {
	req, err := unix.NewIfreq("lo")
	if err == nil && t.name != "" {
		req, err = unix.NewIfreq(t.name)
	}
	if err != nil {
		die("%s: %s", t.name, errnoText(err))
	}
	what := "open"
	err = s.space().Do(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		what = "ioctl(TUNSETIFF)"
		if err := setInterface(fd, t, req); err != nil {
			return err
		}
		name, err := f(fd)
		what = "ioctl(" + name + ")"
		return err
	})
	if err != nil {
		fail(exitFailed, "%s: %s", what, errnoText(err))
	}
}

// setInterface is TUNSETIFF. A name that is empty, for the kernel to choose, is one that [unix.NewIfreq] does not make.
func setInterface(fd int, t *tuntap, req *unix.Ifreq) error {
	if t.name == "" {
		pattern := "tun%d"
		if t.flags&unix.IFF_TAP != 0 {
			pattern = "tap%d"
		}
		var err error
		if req, err = unix.NewIfreq(pattern); err != nil {
			return err
		}
	}
	req.SetUint16(t.flags)
	return unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
}

// userID prints a user or a group of a link.
func userID(p *printer, key string, text string) {
	if id, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil && id != -1 {
		num(p, key, " "+key+" %d", id)
	}
}

// tunHolders finds who has a tun or tap link of that name open, whatever namespace it is in.
func tunHolders(name string) (pids []int) {
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		dir := "/proc/" + d.Name()
		fds, err := os.ReadDir(dir + "/fd")
		if err != nil {
			continue // gone, or not ours to see
		}
		for _, fd := range fds {
			if to, err := os.Readlink(dir + "/fd/" + fd.Name()); err != nil || to != "/dev/net/tun" {
				continue
			}
			info, err := os.ReadFile(dir + "/fdinfo/" + fd.Name())
			if err != nil {
				continue
			}
			for line := range strings.Lines(string(info)) {
				if key, value, _ := strings.Cut(line, ":"); key == "iff" && strings.TrimSpace(value) == name {
					pids = append(pids, pid)
				}
			}
		}
	}
	return pids
}
