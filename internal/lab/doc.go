// Package lab keeps what a running lab has on disk and its processes: the run directory with one directory a lab, which
// is itself the lab's lock; the expanded lab, a cache; the journal of changes to the host; the ledger of the host's
// sysctls; private hosts and resolv.conf files; and the supervisor with the lab's services and their logs.
//
// Nothing here is the truth about the network: that is the kernel's. A file that is missing, torn or garbage is as good
// as one that was never written, except for the ledger, which alone knows what a sysctl was before.
//
// Layout (default run directory /run/warren):
//
//	RUNDIR/                  0755, flock on it = the host lock
//	RUNDIR/host-sysctls.json the ledger
//	RUNDIR/LAB/              0700, flock on it = the lab's lock
//	RUNDIR/LAB/lab.json      the expanded lab; a large one in several lines
//	RUNDIR/LAB/source        the lab file as it was
//	RUNDIR/LAB/changing      there while the lab is changed
//	RUNDIR/LAB/journal       host-side steps under way
//	RUNDIR/LAB/switch        mount of the hidden namespace (internal/kernel)
//	RUNDIR/LAB/etc/          hosts and resolv.conf, for the lab and for single nodes
//	RUNDIR/LAB/supervisor    control socket of the supervisor
//	RUNDIR/LAB/services.json what became of the services, for when no supervisor lives
//	RUNDIR/LAB/logs/         NODE.SERVICE.log and .log.1
//
// A supervisor is this same binary, executed again: a program that uses the package calls [IsSupervisor] first thing in
// main, and [SupervisorMain] when it says so. Not here: namespaces and links (netns, internal/kernel), what a
// service is (topo).
//
// See flock(2), prctl(2) PR_SET_CHILD_SUBREAPER, pidfd_open(2), proc_locks(5).
package lab
