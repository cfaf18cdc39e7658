package warren_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/netns"
)

// talking makes a namespace in which packets leave by link a until the test ends.
func talking(t *testing.T) {
	t.Helper()
	kerneltest.Need(t, "veth")
	sh(t, `ip netns add talk; ip -n talk link add name a type veth peer name b; ip -n talk link set dev a up; ip -n talk link set dev b up
		ip -n talk addr add 10.31.0.1/24 dev a; ip -n talk neigh add 10.31.0.2 lladdr 02:00:5e:00:00:02 dev a nud permanent`)
	t.Cleanup(func() { sh(t, "ip netns del talk") })
	h, err := netns.OpenPath(netns.Dir + "/talk")
	if err != nil {
		t.Fatal(err)
	}
	fd, err := h.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	h.Close()
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer unix.Close(fd)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				_ = unix.Sendto(fd, make([]byte, 500), 0, &unix.SockaddrInet4{Port: 9, Addr: [4]byte{10, 31, 0, 2}})
			}
		}
	})
	t.Cleanup(func() { close(stop); wg.Wait() })
}

// sent is what /sys says that link a has sent.
func sent(t *testing.T) (bytes, packets uint64) {
	t.Helper()
	out := sh(t, `ip netns exec talk cat /sys/class/net/a/statistics/tx_bytes /sys/class/net/a/statistics/tx_packets`)
	if _, err := fmt.Sscan(out, &bytes, &packets); err != nil {
		t.Fatal(err, out)
	}
	return bytes, packets
}

// TestRates: what stats --watch --json tells lies between what /sys said before and after, and its rates are the differences of its
// own totals over the time between.
func TestRates(t *testing.T) {
	kerneltest.LeakCheck(t)
	talking(t)
	minBytes, minPackets := sent(t)
	cmd := warrenCmd(t, "stats", "--watch=50ms", "--json", "talk")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	type counter struct {
		Link      string `json:"link"`
		TxBytes   uint64 `json:"tx_bytes"`
		TxPackets uint64 `json:"tx_packets"`
		Rate      *struct {
			TxBytes   float64 `json:"tx_bytes"`
			TxPackets float64 `json:"tx_packets"`
		} `json:"rate"`
	}
	var was counter
	var wasAt time.Time
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for n := 0; n < 6 && lines.Scan(); n++ {
		var line struct {
			Time     time.Time `json:"time"`
			Counters []counter `json:"counters"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		maxBytes, maxPackets := sent(t)
		for _, c := range line.Counters {
			if c.Link != "a" {
				continue
			}
			if c.TxBytes < minBytes || c.TxBytes > maxBytes || c.TxPackets < minPackets || c.TxPackets > maxPackets {
				t.Errorf("%d bytes in %d packets, /sys said %d in %d before and %d in %d after", c.TxBytes, c.TxPackets, minBytes, minPackets, maxBytes, maxPackets)
			}
			if c.Rate == nil {
				t.Fatalf("no rate: %s", lines.Bytes())
			}
			if n > 0 {
				took := line.Time.Sub(wasAt).Seconds()
				for _, r := range [][2]float64{{c.Rate.TxBytes, float64(c.TxBytes-was.TxBytes) / took}, {c.Rate.TxPackets, float64(c.TxPackets-was.TxPackets) / took}} {
					if math.Abs(r[0]-r[1]) > 1e-6*r[1]+1e-6 {
						t.Errorf("rate %f, the totals say %f", r[0], r[1])
					}
				}
			}
			was, wasAt = c, line.Time
		}
	}
	if was.TxPackets == 0 {
		t.Error("nothing was told")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// A typed is what a program wrote to its terminal so far.
type typed struct {
	mu   sync.Mutex
	text bytes.Buffer
	done chan struct{}
}

func watchTerminal(master *os.File) *typed {
	s := &typed{done: make(chan struct{})}
	go func() {
		defer close(s.done)
		buf := make([]byte, 1<<16)
		for {
			n, err := master.Read(buf)
			s.mu.Lock()
			s.text.Write(buf[:n])
			s.mu.Unlock()
			if err != nil { // EIO: nobody has the other side open any more
				return
			}
		}
	}()
	return s
}

func (s *typed) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// TestLiveTable: on a terminal the table is drawn in place, in colour, no wider and no longer than there is room, until q or ctrl-c;
// then everything is as before. Elsewhere there are lines without any of that.
func TestLiveTable(t *testing.T) {
	const leave = "\x1b[?25h\x1b[?1049l"
	colour := regexp.MustCompile(`\x1b\[[0-9;]+m`)
	for _, c := range []struct {
		name, key, noColor string
	}{{"q", "q", ""}, {"ctrl-c", "\x03", ""}, {"no-color", "q", "1"}} {
		t.Run(c.name, func(t *testing.T) {
			kerneltest.LeakCheck(t)
			talking(t)
			t.Setenv("TERM", "xterm")
			t.Setenv("NO_COLOR", c.noColor)
			cmd, master := onTerminal(t, "stats", "--watch=30ms", "--sort", "rate")
			defer master.Close()
			s := watchTerminal(master)
			kerneltest.Eventually(t, 60*time.Second, func() error {
				if n := strings.Count(s.String(), "\x1b[H"); n < 4 {
					return fmt.Errorf("%d tables: %q", n, s)
				}
				return nil
			})
			if _, err := master.WriteString("x" + c.key); err != nil {
				t.Fatal(err)
			}
			err := cmd.Wait()
			<-s.done
			text := s.String()
			if err != nil {
				t.Errorf("ended with %v: %q", err, text)
			}
			if !strings.HasPrefix(text, "\x1b[?1049h\x1b[?25l") || !strings.HasSuffix(text, leave) {
				t.Errorf("begins and ends otherwise: %q", text)
			}
			if got := colour.MatchString(strings.TrimSuffix(text, leave)); got == (c.noColor != "") {
				t.Errorf("colours %t", got)
			}
			for _, frame := range strings.Split(text, "\x1b[H")[1:] {
				plain := regexp.MustCompile(`\x1b\[[0-9;?]*[a-zA-Z]`).ReplaceAllString(frame, "")
				rows := strings.Split(plain, "\r\n")
				if len(rows) > 24 || !strings.Contains(rows[0], "every 30ms") || !strings.Contains(plain, "NAMESPACE") {
					t.Errorf("a table of %d rows: %q", len(rows), frame)
				}
				for _, r := range rows {
					r = strings.TrimRight(r, "\r") // the terminal's own, before a line feed
					if len([]rune(r)) > 80 {
						t.Errorf("a row of %d columns: %q", len([]rune(r)), r)
					}
				}
			}
		})
	}
	t.Run("dumb", func(t *testing.T) {
		kerneltest.LeakCheck(t)
		talking(t)
		t.Setenv("TERM", "dumb")
		t.Setenv("NO_COLOR", "1")
		cmd, master := onTerminal(t, "stats", "--watch=30ms", "talk")
		defer master.Close()
		s := watchTerminal(master)
		kerneltest.Eventually(t, 60*time.Second, func() error {
			if strings.Count(s.String(), "\n") < 6 {
				return fmt.Errorf("%q", s)
			}
			return nil
		})
		if _, err := master.WriteString("\x03"); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		<-s.done
		if strings.Contains(s.String(), "\x1b") || !strings.Contains(s.String(), "talk a in ") {
			t.Errorf("%q", s)
		}
	})
}

// TestTerminalAsBefore: what changed how keys are read changes it back.
func TestTerminalAsBefore(t *testing.T) {
	kerneltest.LeakCheck(t)
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	// A shell keeps the terminal open, and looks at it before and after.
	cmd, master := onTerminal(t, "version")
	_ = cmd.Wait()
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	s := watchTerminal(master)
	script := `stty -a >/run/before; "$0" stats --watch=30ms; stty -a >/run/after`
	shell := exec.CommandContext(t.Context(), "sh", "-c", script, path)
	shell.Stdin, shell.Stdout, shell.Stderr = tty, tty, tty
	shell.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	shell.Env = append(os.Environ(), "TERM=xterm")
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	kerneltest.Eventually(t, 60*time.Second, func() error {
		if !strings.Contains(s.String(), "\x1b[H") {
			return fmt.Errorf("%q", s)
		}
		return nil
	})
	if _, err := master.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	if err := shell.Wait(); err != nil {
		t.Error(err)
	}
	sh(t, "cmp /run/before /run/after; rm /run/before /run/after")
	tty.Close()
	<-s.done
}
