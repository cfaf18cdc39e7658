package iproute

import (
	"fmt"

	"warren/internal/rtnl"
)

const ioamUsage = `Usage: ip ioam { namespace | schema } show
       ip ioam namespace add ID [ data NUMBER ] [ wide NUMBER ]
       ip ioam namespace set ID schema { NUMBER | none }
       ip ioam schema add NUMBER TEXT
       ip ioam namespace del ID                ip ioam schema del NUMBER`

// Commands and attributes of IPv6's in-situ OAM (RFC 9197, linux/ioam6_genl.h).
const (
	ioamAddNamespace  = 1
	ioamDelNamespace  = 2
	ioamDumpNamespace = 3
	ioamAddSchema     = 4
	ioamDelSchema     = 5
	ioamDumpSchema    = 6
	ioamSetSchema     = 7

	ioamID       = 1
	ioamData     = 2
	ioamWide     = 3
	ioamSchema   = 4
	ioamContent  = 5
	ioamNoSchema = 6

	ioamMaxContent = 255 * 4 // IOAM6_MAX_SCHEMA_DATA_LEN
)

// ioamObject is "ip ioam"; none of its words can be shortened.
func ioamObject(s *session, w *words) {
	if !w.more() || w.peek() == "help" {
		usageOf(ioamUsage)
	}
	object := w.peek()
	if object != "namespace" && object != "schema" {
		invalid("Unknown", object)
	}
	var command uint8
	var put func(*rtnl.Message)
	verb := w.next()
	switch object + " " + verb {
	case "namespace show":
		s.ioamShow(ioamDumpNamespace, printIOAMNamespace)
		return
	case "schema show":
		s.ioamShow(ioamDumpSchema, printIOAMSchema)
		return
	case "namespace add":
		command, put = ioamAddNamespace, ioamNewNamespace(w)
	case "namespace del":
		id := u16(w.next(), "Invalid namespace ID")
		command, put = ioamDelNamespace, func(m *rtnl.Message) { m.U16(ioamID, id) }
	case "namespace set":
		command, put = ioamSetSchema, ioamBind(w)
	case "schema add":
		id := u32(w.next(), "Invalid schema ID")
		content := w.next()
		if len(content) > ioamMaxContent {
			invalid("Schema DATA too big", content)
		}
		command = ioamAddSchema
		put = func(m *rtnl.Message) {
			m.U32(ioamSchema, id)
			m.Bytes(ioamContent, []byte(content))
		}
	case "schema del":
		id := u32(w.next(), "Invalid schema ID")
		command, put = ioamDelSchema, func(m *rtnl.Message) { m.U32(ioamSchema, id) }
	default:
		invalid("Unknown", verb)
	}
	f := s.ioamFamily()
	m := f.message(command)
	put(m)
	s.talk(f, m)
}

func (s *session) ioamFamily() genlFamily { return s.family("IOAM6") }

// ioamNewNamespace reads a namespace with what its nodes add to packets: 32 bits, then 64.
func ioamNewNamespace(w *words) func(*rtnl.Message) {
	id := u16(w.next(), "Invalid namespace ID")
	var data *uint32
	var wide *uint64
	readWide := func() {
		word := w.next()
		n, ok := parseUint(word, 16, 64)
		if !ok {
			invalid("Invalid wide data", word)
		}
		wide = &n
	}
	if w.skip(); w.more() {
		switch w.peek() {
		case "data":
			n := u32(w.next(), "Invalid data")
			data = &n
		case "wide":
			readWide()
		default:
			invalid("Invalid argument", w.peek())
		}
	}
	if w.skip(); w.more() {
		if data == nil || w.peek() != "wide" {
			invalid("Unexpected argument", w.peek())
		}
		readWide()
	}
	return func(m *rtnl.Message) {
		m.U16(ioamID, id)
		if data != nil {
			m.U32(ioamData, *data)
		}
		if wide != nil {
			m.U64(ioamWide, *wide)
		}
	}
}

// ioamBind reads which schema a namespace has.
func ioamBind(w *words) func(*rtnl.Message) {
	id := u16(w.next(), "Invalid namespace ID")
	if word := w.next(); word != "schema" {
		invalid("Unknown", word)
	}
	word := w.next()
	var schema uint32
	if word != "none" {
		schema = u32(word, "Invalid schema ID")
	}
	return func(m *rtnl.Message) {
		m.U16(ioamID, id)
		if word == "none" {
			m.Flag(ioamNoSchema)
		} else {
			m.U32(ioamSchema, schema)
		}
	}
}

func (s *session) ioamShow(command uint8, show func(*printer, rtnl.Attrs)) {
	f := s.ioamFamily()
	list := s.list(f, f.message(command))
	p := s.out()
	for _, a := range list {
		p.openObject("")
		show(p, a)
		p.text("%s", p.nl)
		p.closeObject()
	}
}

func printIOAMNamespace(p *printer, a rtnl.Attrs) {
	num(p, "namespace", "namespace %d", a.U16(ioamID))
	if a.Has(ioamSchema) {
		num(p, "schema", " [schema %d]", a.U32(ioamSchema))
	}
	if a.Has(ioamData) {
		data := a.U32(ioamData)
		p.text(", data %#08x", data)
		if p.isJSON() {
			p.str("data", "", fmt.Sprintf("%x", data))
		}
	}
	if a.Has(ioamWide) {
		p.hexa("wide", ", wide %#016x", a.U64(ioamWide))
	}
}

func printIOAMSchema(p *printer, a rtnl.Attrs) {
	num(p, "schema", "schema %d", a.U32(ioamSchema))
	if a.Has(ioamID) {
		num(p, "namespace", " [namespace %d]", a.U16(ioamID))
	}
	p.null("data", ", data:")
	for _, b := range a.Bytes(ioamContent) {
		if p.isJSON() {
			p.js.name("") // as iproute2 has it: each byte is a member without a name
			p.js.raw("%d", b)
		}
		p.text(" %02x", b)
	}
}
