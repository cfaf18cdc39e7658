package iproute

import (
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
	"warren/internal/xfrm"
)

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
