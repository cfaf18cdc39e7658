// Package contract says what a kernel adapter must do, as tests that run against every one of them: the kernel in memory
// (internal/kerneltest/fake) and the real one (internal/kernel). A difference is a bug in the fake.
//
// [Run] has a case for each behaviour; [Properties] tries random labs. Both leave nothing behind: on the real kernel all
// cases run in one world, so each uses namespaces of a lab of its own and removes it.
package contract
