package warren_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"warren"
	"warren/internal/kerneltest"
)

const (
	confirmOld = "name: conf\nnets:\n  lan: {cidr: 10.81.0.0/24, nodes: [h1, h2], uplink: true}\nnodes:\n  h1: {run: sleep 1001}\n"
	confirmNew = "name: conf\nnets:\n  lan: {cidr: 10.82.0.0/24, nodes: [h1, h2, h3], uplink: true}\nnodes:\n  h1: {run: sleep 1002}\n"
)

// watchdogs lists the watchdogs of this world by PID.
func watchdogs(t *testing.T) []int {
	t.Helper()
	var out []int
	for _, p := range processes(t) {
		if strings.Contains(p, "--watch conf") {
			pid, err := strconv.Atoi(strings.TrimSuffix(strings.Fields(p)[1], ":"))
			if err != nil {
				t.Fatal(p)
			}
			out = append(out, pid)
		}
	}
	return out
}

// endTime says in the record that the time is over.
func endTime(t *testing.T) {
	t.Helper()
	const path = "/run/warren/conf/unconfirmed"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rec map[string]json.RawMessage
	if err := json.Unmarshal(data, &rec); err != nil {
		t.Fatal(err)
	}
	rec["deadline"] = json.RawMessage("1")
	if data, err = json.Marshal(rec); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// isOld waits until the lab is what confirmOld says, and nobody watches any more.
func isOld(t *testing.T) {
	t.Helper()
	kerneltest.Eventually(t, 30*time.Second, func() error {
		if pids := watchdogs(t); len(pids) > 0 {
			return fmt.Errorf("watchdogs %v", pids)
		}
		st := statusOf(t, "conf")
		if st.State != "up" || len(st.Nodes) != 2 || !strings.HasPrefix(st.Nodes[0].Addrs[0], "lan 10.81.0.") || len(st.Services) != 1 || st.Services[0].State != "ready" {
			return fmt.Errorf("the lab is %+v", st)
		}
		return nil
	})
	if out := sh(t, "ps -eo args"); !strings.Contains(out, "sleep 1001") || strings.Contains(out, "sleep 1002") {
		t.Errorf("services are not the former ones:\n%s", out)
	}
}

func isNew(t *testing.T) {
	t.Helper()
	if st := statusOf(t, "conf"); st.State != "up" || len(st.Nodes) != 3 || !strings.HasPrefix(st.Nodes[0].Addrs[0], "lan 10.82.0.") {
		t.Errorf("the lab is %+v", st)
	}
}

// TestConfirmNobody lets the time pass: a first up is taken down, a change of a lab is taken back.
func TestConfirmNobody(t *testing.T) {
	kerneltest.LeakCheck(t)
	older, newer := labFile(t, confirmOld), labFile(t, confirmNew)
	run(t, "up", "--confirm", "1s", newer)
	nothingLeft(t)

	run(t, "up", older)
	run(t, "up", "--confirm", "1s", newer)
	isOld(t)
	if u := statusOf(t, "conf").Unconfirmed; u == nil || u.Undone.IsZero() {
		t.Errorf("status does not tell that the change was undone: %+v", u)
	}
	if _, errOut, code := try(t, "confirm", "conf"); code != 1 || !strings.Contains(errOut, "nothing waits to be confirmed: the last change was undone at") {
		t.Errorf("confirm after the end: exit %d, %s", code, errOut)
	}
	run(t, "up", older)
	if u := statusOf(t, "conf").Unconfirmed; u != nil {
		t.Errorf("after another up: %+v", u)
	}
	run(t, "down", "conf")
	nothingLeft(t)
}

// TestConfirm keeps a change in each of the ways there are.
func TestConfirm(t *testing.T) {
	kerneltest.LeakCheck(t)
	older, newer := labFile(t, confirmOld), labFile(t, confirmNew)
	var report warren.UpReport
	if err := json.Unmarshal([]byte(run(t, "up", "--confirm", "1h", "--json", older)), &report); err != nil || report.Unconfirmed == nil || report.Unconfirmed.Then != "down" || !report.Unconfirmed.Watched {
		t.Fatalf("report: %v, %+v", err, report.Unconfirmed)
	}
	pids := watchdogs(t)
	if len(pids) != 1 {
		t.Fatalf("watchdogs: %v", pids)
	}
	if sid := sh(t, fmt.Sprintf("ps -o sid= -p %d", pids[0])); strings.TrimSpace(sid) != fmt.Sprint(pids[0]) {
		t.Errorf("the watchdog %d is in session %s: the end of the terminal would end it", pids[0], sid)
	}
	if u := statusOf(t, "conf").Unconfirmed; u == nil || !u.Watched || time.Until(u.Until) < 50*time.Minute {
		t.Errorf("status: %+v", u)
	}
	run(t, "confirm", older)
	if pids := watchdogs(t); len(pids) > 0 {
		t.Errorf("watchdogs after confirm: %v", pids)
	}
	if u := statusOf(t, "conf").Unconfirmed; u != nil {
		t.Errorf("status after confirm: %+v", u)
	}
	if _, errOut, code := try(t, "confirm", "conf"); code != 1 || !strings.Contains(errOut, "nothing waits to be confirmed") {
		t.Errorf("a second confirm: exit %d, %s", code, errOut)
	}
	if _, errOut, code := try(t, "confirm", "nosuch"); code != 1 || !strings.Contains(errOut, "does not exist") {
		t.Errorf("confirm of no lab: exit %d, %s", code, errOut)
	}

	// A second unconfirmed change goes back to what was last confirmed, and a repair in between keeps the time.
	run(t, "up", "--confirm", "1h", newer)
	run(t, "up", "--confirm", "1h", labFile(t, strings.ReplaceAll(confirmNew, "10.82", "10.83")))
	run(t, "repair", "conf")
	if pids := watchdogs(t); len(pids) != 1 {
		t.Errorf("watchdogs: %v", pids)
	}
	run(t, "confirm", "--undo", "conf")
	isOld(t)

	// What fails, and is undone at once, waits for nobody.
	if _, _, code := try(t, "up", "--confirm", "1h", labFile(t, strings.ReplaceAll(confirmNew, "10.82.0.0/24", "127.0.0.0/8"))); code != 1 {
		t.Errorf("an impossible lab: exit %d", code)
	}
	isOld(t)
	if u := statusOf(t, "conf").Unconfirmed; u != nil && u.Undone.IsZero() {
		t.Errorf("status after a failure: %+v", u)
	}

	// A plain up confirms, and down leaves nobody behind.
	run(t, "up", "--confirm", "1h", newer)
	if _, errOut, _ := try(t, "up", newer); !strings.Contains(errOut, "kept by this one") {
		t.Errorf("a plain up says %q", errOut)
	}
	if pids := watchdogs(t); len(pids) > 0 {
		t.Errorf("watchdogs after a plain up: %v", pids)
	}
	isNew(t)
	run(t, "up", "--confirm", "1h", older)
	run(t, "down", "conf")
	nothingLeft(t)
}

// TestConfirmKilledWatchdog kills the watchdog: status says so, and the next command does its work.
func TestConfirmKilledWatchdog(t *testing.T) {
	kerneltest.LeakCheck(t)
	older, newer := labFile(t, confirmOld), labFile(t, confirmNew)
	kill := func() {
		t.Helper()
		pids := watchdogs(t)
		if len(pids) != 1 {
			t.Fatalf("watchdogs: %v", pids)
		}
		if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		kerneltest.Eventually(t, 30*time.Second, func() error {
			if len(watchdogs(t)) > 0 {
				return fmt.Errorf("it lives")
			}
			return nil
		})
	}
	run(t, "up", older)
	run(t, "up", "--confirm", "1h", newer)
	kill()
	if out, _, code := try(t, "status", "conf"); code != 1 || !strings.Contains(out, "its watchdog is gone") {
		t.Errorf("status: exit %d\n%s", code, out)
	}
	run(t, "repair", "conf") // there is time left: another watchdog
	if pids := watchdogs(t); len(pids) != 1 {
		t.Errorf("watchdogs after repair: %v", pids)
	}
	isNew(t)
	kill()
	endTime(t)
	if _, errOut, code := try(t, "confirm", "conf"); code != 1 || !strings.Contains(errOut, "the time was over") {
		t.Errorf("confirm when it is too late: exit %d, %s", code, errOut)
	}
	isOld(t)
	run(t, "up", "--confirm", "1h", newer)
	kill()
	endTime(t)
	if _, errOut, code := try(t, "repair", "conf"); code != 0 || !strings.Contains(errOut, "the last change is undone") {
		t.Errorf("repair: exit %d, %s", code, errOut)
	}
	isOld(t)
	run(t, "down", "conf")

	run(t, "up", "--confirm", "1h", newer)
	kill()
	endTime(t)
	if _, errOut, code := try(t, "repair", "conf"); code != 1 || !strings.Contains(errOut, "is down again") {
		t.Errorf("repair of a first up: exit %d, %s", code, errOut)
	}
	nothingLeft(t)
}

// TestConfirmKilledUp kills up itself half-way: its watchdog undoes what it had done.
func TestConfirmKilledUp(t *testing.T) {
	kerneltest.LeakCheck(t)
	older, newer := labFile(t, confirmOld), labFile(t, confirmNew)
	for _, n := range []int{5, 21} {
		if !killedAt(t, n, "up", "--confirm", "1h", newer) {
			t.Fatalf("up has no %d points", n)
		}
		endTime(t)
		nothingLeft(t)

		run(t, "up", older)
		if !killedAt(t, n, "up", "--confirm", "1h", newer) {
			t.Fatalf("a change has no %d points", n)
		}
		endTime(t)
		isOld(t)
		run(t, "down", "conf")
		nothingLeft(t)
	}
	if left, err := filepath.Glob("/run/warren/*"); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}
