package iproute

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"warren/internal/nl"
)

// iproute2's exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitKernel = 2
	exitUsage  = 255
)

// A failure ends a command. The parser gives up at the first bad word, deep inside: it panics with a *failure, which
// [session.command] recovers.
type failure struct {
	code int
	text string // "" = it was said already
	// abort: iproute2 calls exit(3) here, which ends a batch too, even a forced one.
	abort bool
	// exact: the code is meant as it is, also by bridge.
	exact bool
}

func (f *failure) Error() string { return f.text }

// fail ends the command.
func fail(code int, format string, args ...any) {
	panic(&failure{code: code, text: fmt.Sprintf(format, args...)})
}

// die ends the program: bad usage.
func die(format string, args ...any) {
	panic(&failure{code: exitUsage, text: fmt.Sprintf(format, args...), abort: true})
}

// exit ends the program with status 1, whoever speaks.
func exit(format string, args ...any) {
	panic(&failure{code: exitFailed, text: fmt.Sprintf(format, args...), abort: true, exact: true})
}

// invalid is iproute2's invarg.
func invalid(what, word string) {
	die("Error: argument %q is wrong: %s", bare(word), what)
}

// bare keeps a word from being quoted in Go's way.
type bare string

// Format writes the word in quotes as it is.
func (b bare) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "\"%s\"", string(b)) }

// duplicate is iproute2's duparg.
func duplicate(key, word string) {
	die("Error: duplicate \"%s\": \"%s\" is the second value.", key, word)
}

// garbage is iproute2's duparg2.
func garbage(key, word string) {
	die("Error: either \"%s\" is duplicate, or \"%s\" is a garbage.", key, word)
}

// missing is iproute2's missarg.
func missing(key string) { die("Error: argument \"%s\" is required", key) }

// noDevice ends the command as iproute2 does for an unknown link.
func noDevice(name string) { fail(exitFailed, "Cannot find device \"%s\"", name) }

// refused ends the command with the kernel's refusal.
func refused(err error) {
	if err != nil {
		fail(exitKernel, "%s", kernelText(err))
	}
}

// kernelText is what iproute2 says about a refusal.
func kernelText(err error) string {
	if e, ok := errors.AsType[*nl.Error](err); ok {
		if e.Text != "" {
			return "Error: " + strings.TrimSuffix(e.Text, ".") + "."
		}
		return "RTNETLINK answers: " + strerror(e.Errno)
	}
	return err.Error()
}

// strerror is the C library's word for an error, as far as it matters here.
func strerror(e syscall.Errno) string {
	s := e.Error()
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// errnoText finds the system's word in an error.
func errnoText(err error) string {
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return strerror(e)
	}
	return err.Error()
}
