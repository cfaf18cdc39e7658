package kerneltest

import (
	"testing"
	"time"
)

// Eventually calls f until it returns nil. After d it fails the test with f's last error. It is how a test waits: the
// pauses between the calls grow from 1 to 50 ms.
func Eventually(t testing.TB, d time.Duration, f func() error) {
	t.Helper()
	if err := poll(d, f); err != nil {
		t.Fatalf("after %v: %v", d, err)
	}
}

func poll(d time.Duration, f func() error) error {
	deadline := time.Now().Add(d)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := f()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		<-time.After(pause)
	}
}
