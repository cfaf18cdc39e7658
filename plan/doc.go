// Package plan computes what has to be done to get from a [state.Snapshot] to a [state.Desired]: an ordered list of
// steps that are data. A plan prints (as words, as JSON, as the ip, sysctl and nft lines a person would have typed),
// compares, serialises and can be inverted. The package is pure.
package plan
