package warren

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"warren/state"
	"warren/topo"
)

// BootOptions say where units and copies of lab files are. The zero value is the machine's own systemd, for root.
type BootOptions struct {
	// Root is a directory that stands for "/", of an image or a container that is being made; "" = "/".
	Root string
	// User makes units of the user's own systemd, below Config; they start with the user's first login, or at boot where
	// lingering is enabled (loginctl(1)).
	User bool
	// Config is the user's directory for configuration, ~/.config; with User only.
	Config string
	// Copy keeps a copy of the lab file, with all paths in it absolute, and brings that one up. With a Root there is always one.
	Copy bool
	// Program is the absolute path of this program as the unit calls it.
	Program string
}

func (o BootOptions) unitDir() string {
	if o.User {
		return filepath.Join(o.Config, "systemd/user")
	}
	return filepath.Join(cmp.Or(o.Root, "/"), "etc/systemd/system")
}

func (o BootOptions) copyDir() string {
	if o.User {
		return filepath.Join(o.Config, "warren")
	}
	return filepath.Join(cmp.Or(o.Root, "/"), "etc/warren")
}

// wanted is the target that starts units at boot.
func (o BootOptions) wanted() string {
	if o.User {
		return "default.target"
	}
	return "multi-user.target"
}

// A BootUnit is a systemd unit that brings a lab up at boot and takes it down when it is stopped.
type BootUnit struct {
	Lab string `json:"lab"`
	// File is the lab file that is brought up.
	File string `json:"file"`
	// Path is where the unit belongs.
	Path    string `json:"path"`
	Enabled bool   `json:"enabled"`
	// Text is the unit.
	Text string `json:"text,omitempty"`

	copy []byte // of the lab file, to be written to File; nil = it is there
}

const (
	unitPrefix = "warren-"
	unitSuffix = ".service"
	// fileMark begins the line of a unit that tells its lab file, for whoever reads it again.
	fileMark = "# Lab file: "
	copyMark = "# Written by warren boot enable"
)

// NewBootUnit makes the unit of a lab. Nothing is written. A lab that came from no file is copied. Errors: paths that no unit
// can hold.
func NewBootUnit(l *topo.Lab, o BootOptions) (*BootUnit, error) {
	if err := state.CheckLabName(l.Name); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	u := &BootUnit{Lab: l.Name, Path: filepath.Join(o.unitDir(), unitPrefix+l.Name+unitSuffix)}
	inside := "" // the file as the unit sees it
	switch {
	case o.Copy || o.Root != "" || l.File == "" || l.File == "-" || !exists(l.File):
		data, err := portable(l)
		if err != nil {
			return nil, err
		}
		u.copy = data
		u.File = filepath.Join(o.copyDir(), l.Name+".yaml")
		inside = u.File
		if o.Root != "" && !o.User {
			inside = "/etc/warren/" + l.Name + ".yaml"
		}
	default:
		file, err := filepath.Abs(l.File)
		if err != nil {
			return nil, err
		}
		u.File, inside = file, file
	}
	text, err := unitText(l.Name, inside, o)
	if err != nil {
		return nil, fmt.Errorf("unit of lab %q: %w", l.Name, err)
	}
	u.Text = text
	return u, nil
}

// portable is the lab as a file that may lie anywhere: its name and every path are written out.
func portable(l *topo.Lab) ([]byte, error) {
	base, err := filepath.Abs(filepath.Dir(l.File))
	if err != nil {
		return nil, err
	}
	c := *l
	c.Nodes = slices.Clone(l.Nodes)
	for i := range c.Nodes {
		n := &c.Nodes[i]
		n.Services = slices.Clone(n.Services)
		for j := range n.Services {
			s := &n.Services[j]
			if !filepath.IsAbs(s.Dir) {
				s.Dir = filepath.Join(base, s.Dir)
			}
			if s.Logs != "" && s.Logs != "none" && !filepath.IsAbs(s.Logs) {
				s.Logs = filepath.Join(base, s.Logs)
			}
		}
	}
	data, err := topo.FormatExpanded(&c)
	if err != nil {
		return nil, fmt.Errorf("copy lab %q: %w", l.Name, err)
	}
	from := "a running lab"
	if l.File != "" && exists(l.File) {
		from = filepath.Join(base, filepath.Base(l.File))
	}
	return append(fmt.Appendf(nil, "%s, from %s\n", copyMark, printable(from)), data...), nil
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, s)
}

// Services that load or flush rules and sysctls when they start: what they do must have been done before.
const bootAfter = "network-online.target systemd-sysctl.service nftables.service firewalld.service ufw.service netfilter-persistent.service"

// unitText writes the unit. See systemd.service(5), systemd.unit(5).
func unitText(lab, file string, o BootOptions) (string, error) {
	program, err := unitWord(o.Program, false)
	if err != nil || !filepath.IsAbs(o.Program) || strings.Contains(o.Program, "$") {
		return "", fmt.Errorf("the program's path %q cannot stand in a unit (hint: install warren, as to /usr/local/bin)", o.Program)
	}
	arg, err := unitWord(file, true)
	if err != nil {
		return "", err
	}
	mount, err := unitWord(file, false)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	line := func(words ...string) { b.WriteString(strings.Join(words, "") + "\n") }
	line("# Brings the lab ", lab, " up at boot. ", strings.TrimPrefix(copyMark, "# "), "; warren boot disable ", lab, " removes it.")
	line(fileMark, file)
	line("[Unit]")
	line("Description=warren lab ", lab)
	line("Documentation=man:warren-boot(1)")
	line("RequiresMountsFor=", mount)
	if !o.User {
		line("Wants=network-online.target")
		line("After=", bootAfter)
		line("# Loading the rules of nftables.service anew flushes everybody's: ours are put back.")
		line("ReloadPropagatedFrom=nftables.service")
	}
	line("")
	line("[Service]")
	line("Type=oneshot")
	line("RemainAfterExit=yes")
	line("# The checks are left to \"warren check\": one that fails is no reason to be without the lab.")
	line("ExecStart=", program, " up --no-checks --file ", arg)
	line("ExecReload=", program, " repair --no-checks --lab ", lab)
	line("ExecStop=", program, " down --lab ", lab)
	line("TimeoutStartSec=5min")
	line("# down ends what up started, and in the right order.")
	line("KillMode=process")
	line("")
	line("[Install]")
	line("WantedBy=", o.wanted())
	return b.String(), nil
}

// unitWord quotes a path for a unit: "%" begins a specifier, and on command lines "$" a variable.
func unitWord(path string, command bool) (string, error) {
	if strings.ContainsFunc(path, unicode.IsControl) || !filepath.IsAbs(path) {
		return "", fmt.Errorf("the path %q cannot stand in a unit (hint: move the file, or use --copy)", path)
	}
	pairs := []string{`\`, `\\`, `"`, `\"`, "%", "%%"}
	if command {
		pairs = append(pairs, "$", "$$")
	}
	return `"` + strings.NewReplacer(pairs...).Replace(path) + `"`, nil
}

// Enable writes the unit, and the copy of the lab file where it has one, and has systemd start it at the next boot. A file of
// somebody else's in its place is an error that Is fs.ErrExist.
func (u *BootUnit) Enable(o BootOptions) error {
	if u.copy != nil {
		if err := replaceOurs(u.File, copyMark, u.copy); err != nil {
			return err
		}
	}
	if err := replaceOurs(u.Path, "# Brings the lab ", []byte(u.Text)); err != nil {
		return err
	}
	link := u.link(o)
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return fmt.Errorf("enable lab %q: %w", u.Lab, err)
	}
	err := os.Symlink(filepath.Join("..", filepath.Base(u.Path)), link)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("enable lab %q: %w", u.Lab, err)
	}
	u.Enabled = true
	return nil
}

// link is what makes systemd start the unit.
func (u *BootUnit) link(o BootOptions) string {
	return filepath.Join(filepath.Dir(u.Path), o.wanted()+".wants", filepath.Base(u.Path))
}

// replaceOurs writes a file that is new or begins with our mark.
func replaceOurs(path, mark string, data []byte) error {
	old, err := os.ReadFile(path)
	switch {
	case err == nil && !strings.HasPrefix(string(old), mark):
		return fmt.Errorf("%s: %w, and it is not warren's (hint: move it away)", path, fs.ErrExist)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// BootUnits lists the units that are there, sorted by lab.
func BootUnits(o BootOptions) ([]BootUnit, error) {
	paths, err := filepath.Glob(filepath.Join(globQuote(o.unitDir()), unitPrefix+"*"+unitSuffix))
	if err != nil {
		return nil, err
	}
	var out []BootUnit
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		lab := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), unitPrefix), unitSuffix)
		_, file, ours := strings.Cut(string(data), "\n"+fileMark)
		if !ours || state.CheckLabName(lab) != nil {
			continue
		}
		u := BootUnit{Lab: lab, Path: path, Text: string(data)}
		u.File, _, _ = strings.Cut(file, "\n")
		_, err = os.Lstat(u.link(o))
		u.Enabled = err == nil
		out = append(out, u)
	}
	return out, nil
}

func globQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(s)
}

// FindBootUnit is the unit of one lab. The error Is ErrNotExist when there is none.
func FindBootUnit(lab string, o BootOptions) (*BootUnit, error) {
	units, err := BootUnits(o)
	if err != nil {
		return nil, err
	}
	for i := range units {
		if units[i].Lab == lab {
			return &units[i], nil
		}
	}
	return nil, fmt.Errorf("a unit of lab %q: %w (hint: warren boot list shows those that there are)", lab, ErrNotExist)
}

// Disable removes the unit, and the copy of the lab file that Enable made. The lab stays as it is.
func (u *BootUnit) Disable(o BootOptions) error {
	remove := []string{u.link(o), u.Path}
	made := filepath.Join(o.copyDir(), u.Lab+".yaml")
	if data, err := os.ReadFile(made); err == nil && strings.HasPrefix(string(data), copyMark) {
		remove = append(remove, made)
	}
	for _, path := range remove {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("disable lab %q: %w", u.Lab, err)
		}
	}
	// Directories that Enable may have made; others stay, for they are not empty.
	_ = os.Remove(filepath.Dir(u.link(o)))
	_ = os.Remove(o.copyDir())
	return nil
}

// BootLab is a lab that was brought up, as it is to be brought up again: as its file says now, or, where that is gone or there
// was none, as it was recorded. ErrNotExist when it is not up.
func (w *Warren) BootLab(name string) (*topo.Lab, error) {
	x, err := w.recorded(name)
	if err != nil {
		return nil, err
	}
	if x.Source.File != "" {
		l, err := Load(x.Source.File)
		if err == nil && l.Name == name {
			return l, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return x.Source, nil
}
