// Package seetest holds the tests that compare what warren sees of a host with what others say of it: a zoo of situations,
// each made with plain commands and looked at in one snapshot; every field beside the JSON of ip, bridge, nft and ss; crowds of
// namespaces, some of which vanish while they are read. The packages that read have tests of their own, with more of one kind.
package seetest
