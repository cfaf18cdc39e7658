package fake_test

import (
	"testing"

	"warren/internal/kerneltest/contract"
	"warren/internal/kerneltest/fake"
)

func newKernel(testing.TB) contract.Kernel { return fake.New() }

func TestContract(t *testing.T)   { contract.Run(t, newKernel) }
func TestProperties(t *testing.T) { contract.Properties(t, newKernel, 0) }
