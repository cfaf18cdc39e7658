package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"warren/state"
)

const ledgerFile = "host-sysctls.json"

// ErrSysctlBusy is returned when two labs want different values of one sysctl of the host.
var ErrSysctlBusy = errors.New("another lab holds it at another value")

// Sysctls is the host's /proc/sys as the ledger uses it. Keys have slashes (state.Sysctl).
type Sysctls interface {
	// Read returns the value without the newline. A key that is not there is an error that Is fs.ErrNotExist.
	Read(key string) (string, error)
	Write(key, value string) error
	// List returns the names in a directory of /proc/sys, "net/ipv4/conf".
	List(dir string) ([]string, error)
}

// A Ledger remembers what the host's sysctls were before warren changed them, and which labs need them changed. Several
// labs share a sysctl; the last that leaves puts back the former value, where it is still ours. Every method is called
// under the host lock.
//
// The file is written and synced before the sysctl, so that a former value is never lost, whenever the process dies.
// What was begun is finished by the next call.
type Ledger struct {
	path string
	sys  Sysctls
}

// Ledger returns the ledger of the run directory.
func (r RunDir) Ledger(sys Sysctls) *Ledger {
	return &Ledger{path: filepath.Join(r.path(), ledgerFile), sys: sys}
}

// A Held is one sysctl that warren holds changed.
type Held struct {
	Key string `json:"key"`
	// Ours is the value that warren wrote.
	Ours string `json:"ours"`
	// Former is what it was before.
	Former string `json:"former"`
	// Users are the labs that need it, sorted.
	Users []string `json:"users"`
	// Along are sysctls that the kernel changes along with this one, or that must be changed before it.
	Along []Along `json:"along,omitempty"`
}

// An Along is a sysctl that changes together with another.
type Along struct {
	Key    string `json:"key"`
	Ours   string `json:"ours"` // the value while we hold
	Former string `json:"former"`
	// First: written before the main one, and restored after it. The others are set by the kernel.
	First bool `json:"first,omitempty"`
}

type ledgerData struct {
	Held []Held `json:"held,omitempty"` // sorted by key
	// Restoring is what was being put back when the ledger was written; writing it again does no harm.
	Restoring []state.Sysctl `json:"restoring,omitempty"`
}

// Acquire sets sysctls of the host for a lab: it notes the former values, then writes. A value that is there already is
// noted too, so that another lab's leaving does not take it away. A sysctl that another lab holds at another value is
// an error that Is ErrSysctlBusy, and then nothing is changed.
func (l *Ledger) Acquire(lab string, want []state.Sysctl) error {
	data, err := l.settled()
	if err != nil {
		return err
	}
	for _, w := range want {
		h := data.find(w.Key)
		if h == nil || h.Ours == w.Value {
			continue
		}
		if others := slices.DeleteFunc(slices.Clone(h.Users), func(u string) bool { return u == lab }); len(others) > 0 {
			return fmt.Errorf("set sysctl %s=%s on the host for lab %s: %w: lab %s needs %s", w.Key, w.Value, lab, ErrSysctlBusy, strings.Join(others, ", "), h.Ours)
		}
	}
	for _, w := range want {
		if h := data.find(w.Key); h != nil && h.Ours != w.Value {
			if _, err := l.Release(lab, w.Key); err != nil {
				return err
			}
		}
	}
	if data, err = l.settled(); err != nil {
		return err
	}
	for _, w := range want {
		if err := l.note(&data, lab, w); err != nil {
			return fmt.Errorf("set sysctl %s on the host: %w", w.Key, err)
		}
	}
	if err := l.save(data); err != nil {
		return err
	}
	for _, w := range want {
		h := data.find(w.Key)
		now, err := l.sys.Read(w.Key)
		if err == nil && now == w.Value {
			continue
		}
		for _, a := range h.Along {
			if a.First {
				if err := l.write(state.Sysctl{Key: a.Key, Value: a.Ours}); err != nil {
					return err
				}
			}
		}
		if err := l.write(state.Sysctl{Key: w.Key, Value: w.Value}); err != nil {
			return err
		}
	}
	return nil
}

// note enters what a sysctl is now, unless that is known already.
func (l *Ledger) note(data *ledgerData, lab string, w state.Sysctl) error {
	now, err := l.sys.Read(w.Key)
	if err != nil {
		return err
	}
	h := data.find(w.Key)
	if h == nil {
		data.Held = append(data.Held, Held{Key: w.Key, Ours: w.Value, Former: now})
		slices.SortFunc(data.Held, func(a, b Held) int { return strings.Compare(a.Key, b.Key) })
		h = data.find(w.Key)
		if h.Along, err = l.along(w, now); err != nil {
			return err
		}
	} else if now != h.Ours {
		// Noted and then not written, or changed by somebody since: what it is now is what it was before.
		along, err := l.along(w, now)
		if err != nil {
			return err
		}
		for _, a := range h.Along {
			if v, err := l.sys.Read(a.Key); a.First && err == nil && v == a.Ours {
				along = append(along, a) // this one had been written
			}
		}
		h.Former, h.Along = now, along
	}
	if !slices.Contains(h.Users, lab) {
		h.Users = append(h.Users, lab)
		slices.Sort(h.Users)
	}
	return nil
}

// Release ends a lab's need of sysctls; no keys = of all. Those that nobody needs any more are put back, where the
// value is still the one that warren wrote; they are returned as they were put back.
func (l *Ledger) Release(lab string, keys ...string) ([]state.Sysctl, error) {
	data, err := l.settled()
	if err != nil {
		return nil, err
	}
	changed := false
	var kept []Held
	var back []state.Sysctl
	for _, h := range data.Held {
		if i := slices.Index(h.Users, lab); i >= 0 && (len(keys) == 0 || slices.Contains(keys, h.Key)) {
			h.Users = slices.Delete(h.Users, i, i+1)
			changed = true
		}
		if len(h.Users) > 0 {
			kept = append(kept, h)
			continue
		}
		back = append(back, l.restoration(h)...)
		changed = true
	}
	if !changed {
		return nil, nil
	}
	data.Held, data.Restoring = kept, back
	if err := l.save(data); err != nil {
		return nil, err
	}
	_, err = l.settled()
	return back, err
}

// Held returns what is held, sorted by key.
func (l *Ledger) Held() ([]Held, error) {
	data, err := l.load()
	return data.Held, err
}

// Users returns the labs that hold something, sorted: one that exists no longer is to be released.
func (l *Ledger) Users() ([]string, error) {
	data, err := l.load()
	var users []string
	for _, h := range data.Held {
		users = append(users, h.Users...)
	}
	slices.Sort(users)
	return slices.Compact(users), err
}

// restoration is what has to be written, in order, so that all is as if the sysctl had never been held.
func (l *Ledger) restoration(h Held) []state.Sysctl {
	var out, last []state.Sysctl
	now, err := l.sys.Read(h.Key)
	main := err == nil && now == h.Ours && h.Ours != h.Former
	if main {
		out = append(out, state.Sysctl{Key: h.Key, Value: h.Former})
	}
	for _, a := range h.Along {
		now, err := l.sys.Read(a.Key)
		if err != nil {
			continue // the interface is gone
		}
		switch {
		case a.First && now == a.Ours:
			last = append(last, state.Sysctl{Key: a.Key, Value: a.Former})
		case a.First || !main:
			// somebody changed it since, or the kernel will not touch it now
		case now != a.Ours:
			out = append(out, state.Sysctl{Key: a.Key, Value: now}) // not ours any more: kept through our write
		default:
			out = append(out, state.Sysctl{Key: a.Key, Value: a.Former})
		}
	}
	return append(out, last...)
}

// settled loads the ledger and finishes a restoration that was begun.
func (l *Ledger) settled() (ledgerData, error) {
	data, err := l.load()
	if err != nil || len(data.Restoring) == 0 {
		if err == nil && len(data.Held) == 0 {
			err = l.remove()
		}
		return data, err
	}
	for _, s := range data.Restoring {
		if err := l.write(s); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	data.Restoring = nil
	if len(data.Held) == 0 {
		return data, l.remove()
	}
	return data, l.save(data)
}

func (l *Ledger) write(s state.Sysctl) error {
	if err := l.sys.Write(s.Key, s.Value); err != nil {
		return fmt.Errorf("set sysctl %s=%s on the host: %w", s.Key, s.Value, err)
	}
	return nil
}

// load: a ledger that does not read back is an error and not an empty one: it alone knows the former values.
func (l *Ledger) load() (ledgerData, error) {
	var data ledgerData
	if err := readJSON(l.path, &data); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ledgerData{}, fmt.Errorf("read the host's sysctls as they were: %w (hint: put the values in %s right by hand, then remove it)", err, l.path)
	}
	return data, nil
}

func (l *Ledger) save(data ledgerData) error { return writeJSON(l.path, data, 0o644) }

func (l *Ledger) remove() error {
	if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *ledgerData) find(key string) *Held {
	for i := range d.Held {
		if d.Held[i].Key == key {
			return &d.Held[i]
		}
	}
	return nil
}
