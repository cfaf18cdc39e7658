package iproute_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
)

// ssSteady takes away what moves: the line of the socket that the listing program itself reads with, and times; with times goes
// the space at the ends of lines, which is as wide as the longest.
func ssSteady(text string) string {
	text = regexp.MustCompile(`(?m)^.* (tcpdiag|4):\S+ .*\n`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`(?m)^Total: \d+\n`).ReplaceAllString(text, "")
	if strings.Contains(text, "timer:(") || strings.Contains(text, "lastack:") {
		text = regexp.MustCompile(` last(snd|rcv|ack):\d+`).ReplaceAllString(text, "")
		text = regexp.MustCompile(`timer:\((\w+),[^)]*\)`).ReplaceAllString(text, "timer:($1)")
		text = regexp.MustCompile(`(?m) +$`).ReplaceAllString(text, "")
	}
	return text
}

// TestSS compares with the real ss, byte by byte.
func TestSS(t *testing.T) {
	kerneltest.Need(t, "exec:ss", "veth", "ipv6")
	kerneltest.LeakCheck(t)
	newZoo(t)
	program := self(t)
	t.Run("pipe", func(t *testing.T) { ssInPipe(t, program) })
	t.Run("terminal", func(t *testing.T) { ssOnTerminal(t, program) })
}

func ssInPipe(t *testing.T, program string) {
	for _, line := range ssLines() {
		argv := append([]string{"ss"}, strings.Fields(line)...)
		// Timers and the like move on: what both sides of the real one agree upon must be ours.
		kerneltest.Eventually(t, 20*time.Second, func() error {
			before := theirs(t, "", argv...)
			got := run(t, program, argv...)
			after := theirs(t, "", argv...)
			before.Err, got.Err, after.Err = "", "", ""
			before.Out, got.Out, after.Out = ssSteady(before.Out), ssSteady(got.Out), ssSteady(after.Out)
			if before != after {
				return fmt.Errorf("ss %s: %w", line, errMoving)
			}
			compare(t, "ss "+line, got, before)
			return nil
		})
	}
}

// errMoving: the real program said two different things.
var errMoving = errors.New("sockets changed meanwhile")

func ssOnTerminal(t *testing.T, program string) {
	for _, columns := range []uint16{20, 80, 133, 200} {
		for _, line := range []string{"-tan", "-ta", "-tapn", "-a", "-Htan", "-xap", "-tane", "-tam", "-0ae", "-tan state established"} {
			args := strings.Fields(line)
			kerneltest.Eventually(t, 20*time.Second, func() error {
				before := ssSteady(onTerminal(t, columns, "ss", args))
				got := ssSteady(onTerminal(t, columns, filepath.Join(program, "ss"), args))
				if before != ssSteady(onTerminal(t, columns, "ss", args)) {
					return fmt.Errorf("ss %s: %w", line, errMoving)
				}
				if d := cmp.Diff(before, got); d != "" {
					t.Errorf("ss %s on %d columns: iproute2 (-), we (+):\n%s", line, columns, d)
				}
				return nil
			})
		}
	}
}

// onTerminal runs a program on a pseudo-terminal (pts(4)) and returns what it wrote.
func onTerminal(t *testing.T, columns uint16, program string, args []string) string {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdout = tty
	err = cmd.Start()
	tty.Close()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(master)
	if err != nil && !errors.Is(err, unix.EIO) { // what a terminal says that nobody has open any more
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return string(text)
}
