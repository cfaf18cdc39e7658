package warren_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"warren/internal/kerneltest"
)

// TestServices: order, every kind of readiness, and what a service gets to see.
func TestServices(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{os.TempDir(), filepath.Dir(dir), dir} { // another user goes there
		if err := os.Chmod(d, 0o777); err != nil { //nolint:gosec // a world of its own
			t.Fatal(err)
		}
	}
	server := filepath.Join(dir, "udp.py")
	if err := os.WriteFile(server, []byte(`
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 53))
while True:
    data, peer = s.recvfrom(100)
    s.sendto(b"yes", peer)
`), 0o600); err != nil {
		t.Fatal(err)
	}
	text := `
name: svc
nets: {lan: [a, b]}
nodes:
  a:
    services:
      web: {cmd: [python3, -m, http.server, "80"], ready: "http :80/", dir: "` + dir + `"}
      tcp: {cmd: python3 -m http.server 81, ready: tcp 81 within 20s, logs: "` + dir + `/tcp.log"}
      udp: {cmd: "python3 ` + server + `", ready: udp 53}
      log: {cmd: "echo up and running; echo oops >&2; exec sleep 1000", ready: log "and running"}
      cmd: {cmd: "echo $$ > ` + dir + `/pid; exec sleep 1000", ready: "cmd test -s ` + dir + `/pid", after: [web, log]}
      env: {cmd: "echo $LEVEL $WORD $PWD $(id -u) > env.new && mv env.new env; exec sleep 1000", env: {LEVEL: debug, WORD: "two words"}, dir: "` + dir + `", user: nobody, ready: cmd test -e env}
  b:
    run: "echo b is after all >> ` + dir + `/order; exec sleep 1000"
    after: a
    stop: INT within 2s
checks:
  - b can http a
  - b can tcp a:81
  - b can udp a:53
  - b can http a:81/ over 4
  - b cannot tcp a:82
  - b cannot udp a:54
  - b can http http://a/
`
	file := lift(t, text)
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
	uid := strings.TrimSpace(sh(t, "id -u nobody"))
	if got, wanted := read("env"), "debug two words "+dir+" "+uid+"\n"; got != wanted {
		t.Errorf("the service saw %q, want %q", got, wanted)
	}
	want(t, run(t, "logs", "-l", "svc"), "up and running", "oops")
	want(t, read("tcp.log"), "")
	pid := strings.TrimSpace(read("pid"))
	// A second up leaves them alone, a change of one restarts that one.
	run(t, "up", file)
	if got := strings.TrimSpace(read("pid")); got != pid {
		t.Errorf("a service was started again: PID %s, was %s", got, pid)
	}
	change(t, file, strings.Replace(text, "debug", "info", 1))
	kerneltest.Eventually(t, 30*time.Second, func() error {
		if got := read("env"); !strings.HasPrefix(got, "info") {
			return errText("the service still sees " + got)
		}
		return nil
	})
	if got := strings.TrimSpace(read("pid")); got != pid {
		t.Errorf("another service was started again: PID %s, was %s", got, pid)
	}
	change(t, file, "name: svc\nnets: {lan: [a, b]}\n")
	if left := processes(t); len(left) > 0 {
		t.Errorf("left running:\n%s", strings.Join(left, "\n"))
	}
}

// TestServiceFails: a service that does not become ready is exit status 1, with where to look; the network stays up.
func TestServiceFails(t *testing.T) {
	cases := []struct{ name, service, want string }{
		{"never", "run: sleep 1000, ready: tcp 80 within 300ms", "a/run"},
		{"ends", `run: "echo broken; exit 3", ready: tcp 80`, "3"},
		{"missing", "run: [/nonexistent/program], ready: tcp 80", "/nonexistent/program"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			kerneltest.LeakCheck(t)
			file := labFile(t, "name: bad\nnets: {lan: [a, b]}\nnodes:\n  a: {"+c.service+"}\nchecks: [a can ping b]\n")
			t.Cleanup(func() { run(t, "down", file) })
			_, stderr, code := try(t, "up", file)
			if code != 1 {
				t.Errorf("exit %d, want 1", code)
			}
			want(t, stderr, c.want, "warren logs bad")
			want(t, run(t, "exec", "-l", "bad", "a", "--", "ping", "-c1", "-W1", "b"), "1 received")
			run(t, "check", file)
		})
	}
}
