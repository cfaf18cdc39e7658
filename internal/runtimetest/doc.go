// Package runtimetest holds the tests that compare what warren says of containers with the engines that run them: Docker
// (iptables-nft and legacy), Podman (CNI and netavark) and containerd (ctr and CRI), each in network, mount and cgroup namespaces of its
// own, with images made on the spot. The engines' own words, ip(8) and real packets are the judges.
package runtimetest
