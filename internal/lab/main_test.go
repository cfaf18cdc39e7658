package lab_test

import (
	"os"
	"testing"

	"warren/internal/kerneltest"
	"warren/internal/lab"
)

// TestMain: this binary is the supervisor and the services' beginning as well as the tests.
func TestMain(m *testing.M) {
	if lab.IsSupervisor(os.Args) {
		os.Exit(lab.SupervisorMain(os.Args))
	}
	kerneltest.Main(m)
}
