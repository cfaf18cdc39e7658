package iproute

import (
	"fmt"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/internal/xfrm"
)

// states is "ip xfrm state".
func (x *xfrmCommand) states(w *words) {
	verbs := []struct {
		names string
		run   func(w *words)
	}{
		{"add", func(w *words) { x.modifyState(w, xfrm.NewState) }},
		{"update", func(w *words) { x.modifyState(w, xfrm.UpdState) }},
		{"allocspi", x.allocateSPI},
		{"delete", func(w *words) { x.oneState(w, true) }},
		{"deleteall delall", func(w *words) { x.stateFilter(w); x.deleteStates() }},
		{"list show lst", x.listStates},
		{"get", func(w *words) { x.oneState(w, false) }},
		{"flush", x.flushStates},
		{"count", x.countStates},
		{"help", func(*words) { usageOf(x.stateUsage()) }},
	}
	if !w.more() {
		x.listStates(w)
		return
	}
	word := w.peek()
	for _, v := range verbs {
		for name := range strings.FieldsSeq(v.names) {
			if matches(word, name) {
				w.skip()
				v.run(w)
				return
			}
		}
	}
	unknownVerb("xfrm state", word)
}

// A stateRequest is what the words of "add" and "update" say.
type stateRequest struct {
	*xfrmCommand
	xfrm.State
	mark    xfrm.Mark
	output  xfrm.Mark
	offload xfrm.Offload
	extra   uint32
	window  uint32
	replay  xfrm.ReplayESN // Window and Words are filled in at the end
	ifID    uint32
	tfcpad  uint32

	id, aead, crypt, auth, comp, careOf, context, offloaded, hasIfID bool

	// attrs are in the order of the words.
	attrs []func(*rtnl.Message)
}

func (r *stateRequest) attr(f func(*rtnl.Message)) { r.attrs = append(r.attrs, f) }

func (x *xfrmCommand) modifyState(w *words, typ int) {
	r := &stateRequest{xfrmCommand: x}
	r.Family = x.family
	r.Lifetime = unlimited()
	for ; w.more(); w.skip() {
		r.word(w)
	}
	m := r.message()
	x.talk(typ, m)
}

func (r *stateRequest) word(w *words) {
	number := func() uint32 {
		key := w.peek()
		return u32(w.next(), "value after \""+key+"\" is invalid")
	}
	switch word := w.peek(); word {
	case "mode":
		r.Mode = xfrmMode(w.next())
	case "mark":
		r.mark = markWord(w)
	case "reqid":
		r.ReqID = u32(w.next(), "REQID value is invalid")
	case "seq":
		r.Seq = seqWord(w.next())
	case "replay-window":
		r.window = number()
	case "replay-seq":
		r.replay.Seq = number()
	case "replay-seq-hi":
		r.replay.SeqHigh = number()
	case "replay-oseq":
		r.replay.OSeq = number()
	case "replay-oseq-hi":
		r.replay.OSeqHigh = number()
	case "flag":
		w.next()
		r.Flags = uint8(xfrmFlagWords(w, xfrmStateFlags(), 8, uint32(r.Flags), "FLAG value is invalid"))
	case "extra-flag":
		w.next()
		r.extra = xfrmFlagWords(w, xfrmExtraFlags(), 32, r.extra, "\"EXTRA-FLAG\" is invalid")
	case "sel":
		w.next()
		r.family = unix.AF_UNSPEC
		r.selector(w, &r.Sel)
		r.family = r.Sel.Family
	case "limit":
		w.next()
		xfrmLimit(w, &r.Lifetime)
	case "encap":
		r.encapWords(w)
	case "coa":
		once(&r.careOf, "coa", word)
		a, _, _ := r.prefixWord(w.next(), "value after \"coa\" has an unrecognized address family")
		r.attr(func(m *rtnl.Message) { m.Bytes(xfrm.AttrCareOf, a[:]) })
	case "ctx":
		once(&r.context, "ctx", word)
		b := xfrmContext(w.next())
		r.attr(func(m *rtnl.Message) { m.Bytes(xfrm.AttrContext, b) })
	case "offload":
		r.offloadWords(w)
	case "output-mark":
		r.outputMark(w)
	case "if_id":
		r.ifID, r.hasIfID = number(), true
	case "tfcpad":
		r.tfcpad = number()
	case "enc", "auth", "comp", "aead", "auth-trunc":
		r.algorithm(w)
	default:
		if r.id {
			invalid("unknown", word)
		}
		r.id = true
		r.xfrmCommand.id(w, &r.ID, &r.Src, &r.Family, false)
		if r.family == unix.AF_UNSPEC {
			r.family = r.Family
		}
	}
}

// seqWord reads a number that goes out in network order.
func seqWord(word string) uint32 {
	b := xfrm.Put32(u32(word, "SEQ value is invalid"))
	return native.Uint32(b[:])
}

func (r *stateRequest) encapWords(w *words) {
	var e xfrm.Encap
	switch word := w.next(); word {
	case "espinudp-nonike":
		e.Type = xfrm.EncapUDPNonIKE
	case "espinudp":
		e.Type = xfrm.EncapUDP
	case "espintcp":
		e.Type = xfrm.EncapTCP
	default:
		invalid("ENCAP-TYPE value is invalid", word)
	}
	e.SPort = xfrm.Put16(u16(w.next(), "SPORT value after \"encap\" is invalid"))
	e.DPort = xfrm.Put16(u16(w.next(), "DPORT value after \"encap\" is invalid"))
	e.Original = xfrm.MakeAddress(address(w.next(), unix.AF_UNSPEC))
	r.attr(func(m *rtnl.Message) { xfrmBytes(m, xfrm.AttrEncap, e) })
}

func (r *stateRequest) offloadWords(w *words) {
	r.offloaded = true
	if w.next() == "dev" {
		if r.offload.Link = int32(r.indexOf(w.next())); r.offload.Link == 0 {
			invalid("value after \"offload dev\" is invalid", w.peek())
		}
		w.next()
	}
	if w.peek() != "dir" {
		invalid("value after \"offload dir\" is invalid", w.peek())
	}
	switch word := w.next(); word {
	case "in":
		r.offload.Flags = xfrm.OffloadInbound
	case "out":
		r.offload.Flags = 0
	default:
		invalid("DIR value is invalid", word)
	}
}

func (r *stateRequest) outputMark(w *words) {
	r.output.Value = u32(w.next(), "value after \"output-mark\" is invalid")
	if !follow(w) {
		return
	}
	if w.peek() != "mask" {
		w.at--
		return
	}
	r.output.Mask = u32(w.next(), "mask value is invalid\n")
}

// algorithm reads a kind, a name and, but for compression, a key; some have a length at the end.
func (r *stateRequest) algorithm(w *words) {
	kind := w.peek()
	twice := func(was ...bool) {
		for _, b := range was {
			if b {
				duplicate("ALGO-TYPE", kind)
			}
		}
	}
	switch kind {
	case "aead":
		twice(r.crypt, r.auth, r.aead)
		r.aead = true
	case "enc":
		twice(r.crypt, r.aead)
		r.crypt = true
	case "auth", "auth-trunc":
		twice(r.auth, r.aead)
		r.auth = true
	case "comp":
		twice(r.comp)
		r.comp = true
	}
	need := func(what string) string {
		if !follow(w) {
			missing(what)
		}
		return w.peek()
	}
	var name [64]byte
	copy(name[:], need("ALGO-NAME"))
	if kind == "comp" {
		r.attr(func(m *rtnl.Message) { xfrmBytes(m, xfrm.AttrComp, xfrm.Algorithm{Name: name}) })
		return
	}
	keyWord := need("ALGO-KEYMAT")
	var length uint32
	switch kind {
	case "aead":
		length = u32(need("ALGO-ICV-LEN"), "ALGO-ICV-LEN value is invalid")
	case "auth-trunc":
		length = u32(need("ALGO-TRUNC-LEN"), "ALGO-TRUNC-LEN value is invalid")
	}
	key := keyMaterial(keyWord)
	bits := uint32(8 * len(key))
	r.attr(func(m *rtnl.Message) {
		switch kind {
		case "aead":
			xfrmBytes(m, xfrm.AttrAEAD, xfrm.AlgorithmAEAD{Name: name, Bits: bits, ICV: length}, key...)
		case "auth-trunc":
			xfrmBytes(m, xfrm.AttrAuthTrunc, xfrm.AlgorithmTruncated{Name: name, Bits: bits, Trunc: length}, key...)
		case "auth":
			xfrmBytes(m, xfrm.AttrAuth, xfrm.Algorithm{Name: name, Bits: bits}, key...)
		default:
			xfrmBytes(m, xfrm.AttrCrypt, xfrm.Algorithm{Name: name, Bits: bits}, key...)
		}
	})
}

// keyMaterial reads a key: hexadecimal digits after "0x", of which the first may stand alone, or the word's own bytes.
func keyMaterial(word string) []byte {
	const most = 512
	digits, hexadecimal := strings.CutPrefix(word, "0x")
	if !hexadecimal || digits == "" {
		if len(word) > most {
			invalid("ALGO-KEYMAT value makes buffer overflow\n", word)
		}
		return []byte(word)
	}
	if len(digits)%2 != 0 {
		digits = "0" + digits
	}
	if len(digits)/2 > most {
		invalid("ALGO-KEYMAT value makes buffer overflow\n", word)
	}
	key := make([]byte, 0, len(digits)/2)
	for i := 0; i < len(digits); i += 2 {
		n, ok := parseUint(digits[i:i+2], 16, 8)
		if !ok {
			invalid("ALGO-KEYMAT value is invalid", word)
		}
		key = append(key, byte(n))
	}
	return key
}

// message checks what belongs together and makes the message.
func (r *stateRequest) message() *rtnl.Message {
	if r.Flags&xfrm.StateESN != 0 && r.window == 0 {
		die("Error: esn flag set without replay-window.")
	}
	if r.window > xfrm.MaxReplayWindow {
		die("Error: replay-window (%d) > XFRMA_REPLAY_ESN_MAX (%d).", r.window, xfrm.MaxReplayWindow)
	}
	wide := r.Flags&xfrm.StateESN != 0 || r.window > 32
	if !wide {
		r.ReplayWindow = uint8(r.window)
	}
	if !r.id {
		exit("Not enough information: ID is required")
	}
	r.check()
	if r.Family == unix.AF_UNSPEC {
		r.Family = unix.AF_INET
	}
	m := xfrmMessage(r.State)
	for _, add := range r.attrs {
		add(m)
	}
	if r.offloaded {
		xfrmBytes(m, xfrm.AttrOffload, r.offload)
	}
	switch {
	case wide:
		r.replay.Window, r.replay.Words = r.window, (r.window+31)/32
		xfrmBytes(m, xfrm.AttrReplayESN, r.replay)
	case r.replay.Seq != 0 || r.replay.OSeq != 0:
		xfrmBytes(m, xfrm.AttrReplay, xfrm.Replay{OSeq: r.replay.OSeq, Seq: r.replay.Seq})
	}
	if r.extra != 0 {
		m.U32(xfrm.AttrExtraFlags, r.extra)
	}
	addMark(m, r.mark, true)
	if r.hasIfID {
		m.U32(xfrm.AttrInterface, r.ifID)
	}
	if r.tfcpad != 0 {
		m.U32(xfrm.AttrTFCPad, r.tfcpad)
	}
	if r.output.Value != 0 {
		m.U32(xfrm.AttrOutputMark, r.output.Value)
	}
	if r.output.Mask != 0 {
		m.U32(xfrm.AttrOutputMask, r.output.Mask)
	}
	return m
}

// check refuses what does not go with the protocol.
func (r *stateRequest) check() {
	proto := nameFor(xfrmProtos(), r.ID.Proto)
	switch r.ID.Proto {
	case unix.IPPROTO_ESP, unix.IPPROTO_AH, protoComp:
		if r.Mode > xfrm.ModeTunnel && (r.Mode != xfrm.ModeBEET || r.ID.Proto != unix.IPPROTO_ESP) {
			exit("MODE value is invalid with XFRM-PROTO value \"%s\"", proto)
		}
	default:
		if r.crypt || r.auth || r.aead || r.comp {
			exit("ALGO is invalid with XFRM-PROTO value \"%s\"", proto)
		}
	}
	type rule struct {
		broken bool
		what   string
	}
	var rules []rule
	switch r.ID.Proto {
	case unix.IPPROTO_ESP:
		rules = []rule{
			{r.comp, "ALGO-TYPE value \"comp\" is invalid"},
			{!r.crypt && !r.aead, "ALGO-TYPE value \"enc\" or \"aead\" is required"},
		}
	case unix.IPPROTO_AH:
		rules = []rule{
			{r.crypt || r.aead || r.comp, "ALGO-TYPE values \"enc\", \"aead\", and \"comp\" are invalid"},
			{!r.auth, "ALGO-TYPE value \"auth\" or \"auth-trunc\" is required"},
		}
	case protoComp:
		rules = []rule{
			{r.crypt || r.auth || r.aead, "ALGO-TYPE values \"enc\", \"auth\", \"auth-trunc\", and \"aead\" are invalid"},
			{!r.comp, "ALGO-TYPE value \"comp\" is required"},
		}
	}
	if r.ID.Proto == protoRouting || r.ID.Proto == protoDstOpts {
		rules = append(rules,
			rule{r.Mode == 0, "\"mode\" is required"},
			rule{r.Mode != xfrm.ModeRO && r.Mode != xfrm.ModeInTrigger, "MODE value is invalid"},
			rule{!r.careOf, "\"coa\" is required"})
	} else {
		rules = append(rules, rule{r.careOf, "\"coa\" is invalid"})
	}
	for _, rule := range rules {
		if rule.broken {
			exit("%s with XFRM-PROTO value \"%s\"", rule.what, proto)
		}
	}
}

// allocateSPI has the kernel find an index for a state that does not exist yet.
func (x *xfrmCommand) allocateSPI(w *words) {
	var r xfrm.SPIRange
	var mark xfrm.Mark
	var id, low, high bool
	r.State.Family = x.family
	for ; w.more(); w.skip() {
		switch word := w.peek(); word {
		case "mode":
			r.State.Mode = xfrmMode(w.next())
		case "mark":
			mark = markWord(w)
		case "reqid":
			r.State.ReqID = u32(w.next(), "REQID value is invalid")
		case "seq":
			r.State.Seq = seqWord(w.next())
		case "min":
			once(&low, "min", word)
			r.Min = u32(w.next(), "value after \"min\" is invalid")
		case "max":
			once(&high, "max", word)
			r.Max = u32(w.next(), "value after \"max\" is invalid")
		default:
			if id {
				invalid("unknown", word)
			}
			id = true
			x.id(w, &r.State.ID, &r.State.Src, &r.State.Family, false)
			if r.State.ID.SPI.Get() != 0 {
				exit("\"spi\" is invalid")
			}
			if x.family == unix.AF_UNSPEC {
				x.family = r.State.Family
			}
		}
	}
	switch {
	case !id:
		exit("Not enough information: ID is required")
	case low && !high:
		exit("\"max\" is missing")
	case low && r.Min > r.Max:
		exit("value after \"min\" is larger than value after \"max\"")
	case !low && high:
		exit("\"min\" is missing")
	case !low: // what RFC 2367's interface takes; compression has 16 bits
		r.Min, r.Max = 0x100, 0x0fffffff
		if r.State.ID.Proto == protoComp {
			r.Max = 0xffff
		}
	}
	if r.State.Family == unix.AF_UNSPEC {
		r.State.Family = unix.AF_INET
	}
	m := xfrmMessage(r)
	addMark(m, mark, false)
	x.tellState(x.out(), x.query(xfrm.AllocSPI, m))
}

// oneState shows or deletes a state.
func (x *xfrmCommand) oneState(w *words, del bool) {
	var named xfrm.StateID
	var source xfrm.Address
	var mark xfrm.Mark
	given := false
	named.Family = x.family
	for ; w.more(); w.skip() {
		if w.peek() == "mark" {
			mark = markWord(w)
			continue
		}
		if given {
			invalid("unknown", w.peek())
		}
		given = true
		var id xfrm.ID
		x.id(w, &id, &source, &named.Family, false)
		named.Dst, named.SPI, named.Proto = id.Dst, id.SPI, id.Proto
	}
	if named.Family == unix.AF_UNSPEC {
		named.Family = unix.AF_INET
	}
	m := xfrmMessage(named)
	if given {
		m.Bytes(xfrm.AttrSource, source[:])
	}
	addMark(m, mark, false)
	if del {
		x.talk(xfrm.DelState, m)
		return
	}
	x.tellState(x.out(), x.query(xfrm.GetState, m))
}

// stateFilter reads which states are meant.
func (x *xfrmCommand) stateFilter(w *words) {
	f := &x.filter
	f.use = w.more() || x.family != unix.AF_UNSPEC
	f.state.Family = x.family
	id := false
	for ; w.more(); w.skip() {
		switch word := w.peek(); {
		case word == "nokeys":
			x.nokeys = true
		case word == "mode":
			f.state.Mode, f.given.mode = xfrmMode(w.next()), true
		case word == "reqid":
			f.state.ReqID, f.given.reqid = u32(w.next(), "REQID value is invalid"), true
		case word == "flag":
			w.next()
			f.state.Flags = uint8(xfrmFlagWords(w, xfrmStateFlags(), 8, uint32(f.state.Flags), "FLAG value is invalid"))
			f.given.flags = true
		default:
			if id {
				invalid("unknown", word)
			}
			id = true
			x.id(w, &f.state.ID, &f.state.Src, &f.state.Family, true)
			if x.family == unix.AF_UNSPEC {
				x.family = f.state.Family
			}
		}
	}
}

// lets reports whether a state is meant.
func (f *xfrmFilter) letsState(s *xfrm.State) bool {
	want := &f.state
	return !f.use || s.Src.Within(want.Src, f.src) && s.ID.Dst.Within(want.ID.Dst, f.dst) &&
		(want.Family == unix.AF_UNSPEC || want.Family == s.Family) &&
		(!f.given.proto || s.ID.Proto == want.ID.Proto) && (!f.given.spi || s.ID.SPI == want.ID.SPI) &&
		(!f.given.mode || s.Mode == want.Mode) && (!f.given.reqid || s.ReqID == want.ReqID) && (!f.given.flags || s.Flags&want.Flags != 0)
}

func (x *xfrmCommand) listStates(w *words) {
	x.stateFilter(w)
	f := &x.filter
	m := rtnl.NewMessage(0)
	if proto := f.state.ID.Proto; proto != 0 {
		m.U8(xfrm.AttrProto, proto)
	}
	xfrmBytes(m, xfrm.AttrAddressFilter, xfrm.AddressFilter{
		Src: f.state.Src, Dst: f.state.ID.Dst, Family: f.state.Family, SrcPrefix: uint8(f.src), DstPrefix: uint8(f.dst),
	})
	c := x.open()
	defer c.Close()
	for _, msg := range x.table(c, xfrm.GetState, m, "Dump terminated") {
		x.tellState(x.out(), msg)
	}
	done()
}

func (x *xfrmCommand) deleteStates() {
	x.deleteAll(xfrm.GetState, rtnl.NewMessage(0), func(m netlink.Message) *nl.Request {
		s, ok := xfrm.Decode[xfrm.State](m.Data)
		if !ok || !x.filter.letsState(&s) {
			return nil
		}
		del := xfrmMessage(xfrm.StateID{Dst: s.ID.Dst, SPI: s.ID.SPI, Family: s.Family, Proto: s.ID.Proto})
		del.Bytes(xfrm.AttrSource, s.Src[:])
		if b := rtnl.ParseAttrs(after[xfrm.State](m.Data)).Bytes(xfrm.AttrMark); b != nil {
			del.Bytes(xfrm.AttrMark, b)
		}
		req, err := del.Request(xfrm.DelState, 0)
		if err != nil {
			die("%v", err)
		}
		return &req
	})
	done()
}

func (x *xfrmCommand) flushStates(w *words) {
	var f xfrm.Flush
	given := false
	for ; w.more(); w.skip() {
		word := w.peek()
		if word != "proto" {
			invalid("unknown", word)
		}
		once(&given, "proto", word)
		f.Proto = mustName(xfrmProtos(), w.next(), "XFRM-PROTO value is invalid")
	}
	if x.opt.stats > 1 {
		x.hint(fmt.Sprintf("Flush state with XFRM-PROTO value \"%s\"", nameFor(xfrmProtos(), f.Proto)))
	}
	x.talk(xfrm.FlushState, xfrmMessage(f))
}

// everything is the head of the messages about the databases themselves.
func everything() *rtnl.Message {
	m := rtnl.NewMessage(4)
	native.PutUint32(m.Head(), ^uint32(0))
	return m
}

func (x *xfrmCommand) countStates(*words) {
	answer := x.query(xfrm.GetSADInfo, everything())
	p := x.out()
	if len(answer.Data) < 4 {
		return
	}
	a := rtnl.ParseAttrs(answer.Data[4:])
	if !a.Has(xfrm.AttrSADCount) {
		p.text("BAD SAD info returned\n")
		return
	}
	p.text("\t SAD count %d", a.S32(xfrm.AttrSADCount))
	if h, ok := xfrm.Decode[xfrm.HashCount](a.Bytes(xfrm.AttrSADHash)); ok && x.opt.stats > 0 {
		p.text(" (buckets count %d Max %d)", int32(h.Count), int32(h.Max))
	}
	p.text("\n")
}
