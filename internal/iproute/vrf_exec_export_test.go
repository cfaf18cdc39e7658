package iproute

// VRFFolder is the folder of a routing domain for a process of that cgroup.
func VRFFolder(mount, cgroup, space, domain string) string {
	return vrfFolder(mount, cgroup, space, domain)
}

// UnifiedMount finds the unified hierarchy of cgroups in /proc/mounts.
func UnifiedMount(mounts string) string { return unifiedMount(mounts) }

// BindSockets has the processes of a folder bind their sockets to a link. It returns what is said when that fails.
func BindSockets(folder string, index int) (refusal string) {
	defer func() {
		if f, ok := recover().(*failure); ok {
			refusal = f.text
		}
	}()
	bindSockets(folder, index)
	return ""
}
