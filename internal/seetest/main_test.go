package seetest_test

import (
	"testing"

	"warren/internal/kerneltest"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }
