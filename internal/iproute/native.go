package iproute

import "encoding/binary"

// native is the machine's byte order.
var native = binary.NativeEndian
