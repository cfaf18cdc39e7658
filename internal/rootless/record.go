package rootless

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"warren/internal/wayout"
)

// format is raised whenever worlds, or what is agreed on in them, become such that an older or newer program must not enter.
const format = 1

// A record says who holds a world.
type record struct {
	Format int    `json:"format"`
	PID    int    `json:"pid"`   // the holder's
	Start  uint64 `json:"start"` // when it started, in clock ticks after boot; with the PID it identifies it
	Boot   string `json:"boot"`  // the kernel's id of this boot
	Token  string `json:"token"` // of the world; its processes have it in their environment
}

// readRecord returns the zero record when there is none. One that cannot be read as JSON is of a program unknown: format 0.
func readRecord(dir string) (record, error) {
	var r record
	data, err := os.ReadFile(filepath.Join(dir, recordName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r, nil
	case err != nil:
		return r, fmt.Errorf("read who holds the world: %w", err)
	}
	if json.Unmarshal(data, &r) != nil {
		return record{}, nil
	}
	return r, nil
}

func (r record) write(dir string) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, recordName)
	err = os.WriteFile(path+".new", data, 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		_ = os.Remove(path + ".new") // on a full disk it is there, and empty
	}
	return err
}

// outside is the world as its agent knows it.
func (r record) outside(dir string) wayout.World {
	return wayout.World{Dir: dir, Token: r.Token, Holder: r.PID, Env: []string{worldEnv + "=" + r.Token + ":" + dir}}
}

// alive reports whether the holder is.
func (r record) alive() bool {
	if r.PID <= 0 || r.Boot != bootID() {
		return false
	}
	start, ok := started(r.PID)
	return ok && start == r.Start
}

// enterable says why a world that is alive must not be entered, nil when it may.
func (r record) enterable(dir string) error {
	if r.Format == format {
		return nil
	}
	return fmt.Errorf("the world in %s was made by an incompatible version of warren (its format is %d, this one's %d) (hint: take its labs down with that version, or end it with all its labs: kill %d)",
		dir, r.Format, format, r.PID)
}

func bootID() string {
	data, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // without: every boot is the same one
	return string(bytes.TrimSpace(data))
}

// started reads when a process began (proc_pid_stat(5), field 22). One that is ending (field 9) is none: its namespaces may
// be gone already.
func started(pid int) (ticks uint64, ok bool) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false
	}
	_, rest, _ := strings.Cut(string(data[bytes.LastIndexByte(data, ')')+1:]), " ") // a name may hold anything
	f := strings.Fields(rest)
	if len(f) < 20 {
		return 0, false
	}
	const exiting = 0x4 // PF_EXITING of the kernel's linux/sched.h
	if flags, err := strconv.ParseUint(f[6], 10, 64); err != nil || flags&exiting != 0 {
		return 0, false
	}
	ticks, err = strconv.ParseUint(f[19], 10, 64)
	return ticks, err == nil
}
