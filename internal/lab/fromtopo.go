package lab

import (
	"net/netip"
	"path/filepath"

	"warren/topo"
)

// A Place is where a service of an expanded lab runs: what the lab file does not know.
type Place struct {
	NS     string // path of the namespace's mount; "" = the host's
	Cookie uint64
	Base   string // folder of the lab file, absolute
	Addrs  []netip.Addr
	Dir    Dir // for the hosts and resolv.conf files, which are written already
}

// ServiceOf puts a service of an expanded lab into its place.
func ServiceOf(info topo.ServiceInfo, p Place) Service {
	s := Service{
		Node: info.Node, Name: info.Name, NS: p.NS, Cookie: p.Cookie, Argv: info.Argv, Env: info.Env, User: info.User,
		After: info.After, Addrs: p.Addrs, Log: info.Logs,
		Ready: Ready{Kind: info.Ready.Kind, Port: info.Ready.Port, Path: info.Ready.Path, Text: info.Ready.Text, Within: info.Ready.Within},
		Stop:  Stop{Signal: info.Stop.Signal, Timeout: info.Stop.Within},
	}
	if s.Ready.Kind == "cmd" {
		s.Ready.Argv, s.Ready.Text = []string{"/bin/sh", "-c", info.Ready.Text}, ""
	}
	s.Dir = inFolder(p.Base, info.Dir)
	if s.Log != "" && s.Log != "none" {
		s.Log = inFolder(p.Base, s.Log)
	}
	if p.NS != "" {
		s.Hosts, s.Resolv = p.Dir.HostsPath(info.Node), p.Dir.ResolvPath(info.Node)
	}
	return s
}

func inFolder(base, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}
