package draw

import (
	"encoding/json"
	"net/netip"
)

// A Document is the JSON form of a graph.
type Document struct {
	Lab   string         `json:"lab,omitempty"`
	Rooms []DocumentRoom `json:"rooms"`
	Nets  []DocumentNet  `json:"nets"`
}

// A DocumentRoom is a namespace.
type DocumentRoom struct {
	Name     string         `json:"name"`
	NS       string         `json:"ns"` // key of the namespace
	Detail   string         `json:"detail,omitempty"`
	Forwards bool           `json:"forwards,omitempty"`
	Plugs    []DocumentPlug `json:"plugs,omitempty"`
	Others   []string       `json:"others,omitempty"` // links that lead nowhere that is known
}

// A DocumentPlug joins a room to a net.
type DocumentPlug struct {
	Net   int            `json:"net"` // position in Nets
	Link  string         `json:"link"`
	Addrs []netip.Prefix `json:"addrs,omitempty"`
	MTU   uint32         `json:"mtu,omitempty"` // bytes
	Down  bool           `json:"down,omitempty"`
}

// A DocumentNet is a bridge or a cable.
type DocumentNet struct {
	Name     string         `json:"name"`
	Kind     string         `json:"kind"`            // "bridge" or "cable"
	Place    string         `json:"place,omitempty"` // namespace of a bridge that is not a lab's switch
	Down     bool           `json:"down,omitempty"`
	Prefixes []netip.Prefix `json:"prefixes,omitempty"`
}

func document(g graph, o Options) string {
	d := Document{Lab: o.Lab, Rooms: []DocumentRoom{}, Nets: []DocumentNet{}}
	for _, r := range g.rooms {
		dr := DocumentRoom{Name: r.name, NS: r.key, Detail: r.detail, Forwards: r.forwards, Others: r.others}
		for _, p := range r.plugs {
			dr.Plugs = append(dr.Plugs, DocumentPlug{p.net, p.link, p.addrs, p.mtu, p.down})
		}
		d.Rooms = append(d.Rooms, dr)
	}
	for _, n := range g.nets {
		kind := "bridge"
		if n.cable {
			kind = "cable"
		}
		d.Nets = append(d.Nets, DocumentNet{n.name, kind, n.place, n.down, n.prefixes})
	}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		panic("draw: " + err.Error()) // plain values always encode
	}
	return string(b) + "\n"
}
