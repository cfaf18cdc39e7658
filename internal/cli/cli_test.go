package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warren"
	"warren/internal/cli"
)

func TestCutHint(t *testing.T) {
	for _, tt := range []struct{ in, text, hint string }{
		{"plain", "plain", ""},
		{"lab \"x\": does not exist (hint: warren labs)", `lab "x": does not exist`, "warren labs"},
		{"a (hint: use f(x))", "a", "use f(x)"},
		{"a (hint: one) and more", "a (hint: one) and more", ""},
		{"a (hint: one) (hint: two)", "a (hint: one)", "two"},
	} {
		text, hint := cli.CutHint(tt.in)
		if text != tt.text || hint != tt.hint {
			t.Errorf("cutHint(%q) = %q, %q, want %q, %q", tt.in, text, hint, tt.text, tt.hint)
		}
	}
}

type coded struct{ error }

func (coded) ExitCode() int { return 127 }

func TestFinish(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		status int
		text   string
	}{
		{"none", nil, 0, ""},
		{"one", errors.New("it broke (hint: mend it)"), 1, "warren: it broke\nhint: mend it\n"},
		{"several", errors.Join(errors.New("a"), fmt.Errorf("b: %w", errors.New("c"))), 1, "warren: a\nwarren: b: c\n"},
		{"exit-code", fmt.Errorf("exec: %w", coded{errors.New("no such file")}), 127, "warren: exec: no such file\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if got := cli.Finish(&b, tt.err); got != tt.status {
				t.Errorf("status %d, want %d", got, tt.status)
			}
			if diff := cmp.Diff(tt.text, b.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDuration(t *testing.T) {
	for _, tt := range []struct {
		in   time.Duration
		want string
	}{
		{0, "0 µs"},
		{999 * time.Microsecond, "999 µs"},
		{1500 * time.Microsecond, "1.5 ms"},
		{123456 * time.Microsecond, "123 ms"},
		{2346 * time.Millisecond, "2.35 s"},
		{3*time.Minute + 4*time.Second, "3m4s"},
	} {
		if got := cli.Duration(tt.in); got != tt.want {
			t.Errorf("duration(%s) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestIsFile(t *testing.T) {
	for arg, want := range map[string]bool{
		"shop": false, "shop-2": false, "-": true, "shop.yaml": true, "./shop": true, "labs/shop": true, "..": true,
	} {
		if got := cli.IsFile(arg); got != want {
			t.Errorf("isFile(%q) = %t, want %t", arg, got, want)
		}
	}
}

func TestLocale(t *testing.T) {
	for _, tt := range []struct {
		all, ctype, lang string
		ascii            bool
	}{
		{"", "", "", false},
		{"", "", "en_US.UTF-8", false},
		{"", "", "C.utf8", false},
		{"", "", "C", true},
		{"C", "", "en_US.UTF-8", true},
		{"", "POSIX", "en_US.UTF-8", true},
		{"de_DE.UTF-8", "POSIX", "C", false},
	} {
		t.Setenv("LC_ALL", tt.all)
		t.Setenv("LC_CTYPE", tt.ctype)
		t.Setenv("LANG", tt.lang)
		if got := cli.ASCII(); got != tt.ascii {
			t.Errorf("LC_ALL=%s LC_CTYPE=%s LANG=%s: ascii %t, want %t", tt.all, tt.ctype, tt.lang, got, tt.ascii)
		}
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	cli.Table(&b, false)
	if b.Len() > 0 {
		t.Errorf("an empty table prints %q", b.String())
	}
	cli.Table(&b, false, [2]string{"●", ""}, [2]string{"longer", "x"})
	if diff := cmp.Diff("ONE     TWO\n●\nlonger  x\n", b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	b.Reset()
	cli.Table(&b, true, [2]string{"a", "b"})
	if !strings.HasPrefix(b.String(), "\x1b[1mONE") {
		t.Errorf("no bold heading: %q", b.String())
	}
}

// TestProgressInAPipe: nothing but whom one waits for.
func TestProgressInAPipe(t *testing.T) {
	var b bytes.Buffer
	cli.Progress(&b,
		warren.Event{Lab: "x", Phase: "lock", Text: "lab x is locked by 17 warren, waiting"},
		warren.Event{Lab: "x", Phase: "apply", Done: 1, Total: 3})
	if diff := cmp.Diff("note: lab x is locked by 17 warren, waiting\n", b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
