// Package reachtest holds the tests that compare package reach with the kernel: the cases of real life, built with plain
// commands, and random topologies. The kernel is the judge: a verdict that real packets contradict fails the test.
package reachtest
