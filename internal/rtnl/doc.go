// Package rtnl is warren's codec for rtnetlink (rtnetlink(7), linux/rtnetlink.h, linux/if_link.h and their neighbours): it
// turns values of package state into requests, and the kernel's messages into values. It is pure: bytes in, bytes out; the
// socket is internal/nl's.
//
// Three families of functions:
//   - Create, Replace, Change, Delete, Move make requests. Create fails when the object exists (NLM_F_EXCL), Replace does
//     not, Delete fails when it does not exist;
//   - Dump and Get make requests that read;
//   - Decode reads the kernel's messages, Encode writes the same form: Decode(Encode(x)) is x.
//
// Values name links, messages number them: [Names] translates. An index without a name is written "ifN", as ip(8) does, and
// read back from that form.
//
// Decoding is canonical: what the zero value stands for is the zero value. A route of table main has Table 0, a unicast
// route has Type "", a rule that looks a table up has Action "", a next hop of weight 1 has Weight 0. Attributes that package state has
// no field for (encapsulations of routes, statistics other than the basic ones, ...) are passed over.
//
// Attributes are written and read by this package itself: the coder of mdlayher/netlink copies every attribute, once for
// each level of nesting when writing, and a link has about seventy.
package rtnl
