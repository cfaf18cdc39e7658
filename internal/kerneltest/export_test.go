package kerneltest

// LeakCheckFor is LeakCheck with a wait of its own, for its own test.
var LeakCheckFor = leakCheck
