package iproute_test

import (
	"context"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"warren/netns"
)

// TestSecrets: a key's secret is asked for, and read from standard input where there is no terminal; an empty one deletes the key.
func TestSecrets(t *testing.T) {
	leakCheck(t)
	dir := self(t)
	for _, ns := range []string{"secret-a", "secret-b"} {
		twin(t, ns)
		t.Cleanup(func() { _ = netns.Delete(context.WithoutCancel(t.Context()), netns.Dir+"/"+ns) })
	}
	// apart runs a command that has no terminal to ask on.
	apart := func(program, ns, stdin string, argv ...string) result {
		t.Helper()
		var out, errs strings.Builder
		cmd := exec.CommandContext(t.Context(), program, append([]string{"-n", ns}, argv...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
	}
	set, show := "sr hmac set 5 sha256", "sr hmac show"
	for _, step := range []struct{ line, stdin string }{
		{set, ""},
		{set, "secret\nmore\n"},
		{show, ""},
		{"-j -p " + show, ""},
		{"sr hmac set 0x5 sha1", "without an end"},
		{show, ""},
		{"-j " + show, ""},
		{set, strings.Repeat("a", 70) + "\n"},
		{show, ""},
		{set, "\n"},
		{show, ""},
		{set, "\n"},
	} {
		argv := strings.Fields(step.line)
		want, got := apart("ip", "secret-a", step.stdin, argv...), apart(dir+"/ip", "secret-b", step.stdin, argv...)
		if got != want {
			t.Errorf("%s < %q\nthey: %+v\nwe:   %+v", step.line, step.stdin, want, got)
		}
	}
}
