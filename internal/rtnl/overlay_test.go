package rtnl_test

import (
	"net/netip"
	"reflect"
)

func addr(s string) netip.Addr       { return netip.MustParseAddr(s) }
func prefixOf(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// overlay copies the fields of over that are not zero into to, and does the same inside of pointers to structs.
func overlay[T any](to *T, over T) { overlayValue(reflect.ValueOf(to).Elem(), reflect.ValueOf(over)) }

func overlayValue(to, over reflect.Value) {
	for i := range over.NumField() {
		f := over.Field(i)
		switch {
		case f.IsZero():
		case f.Kind() == reflect.Pointer && f.Elem().Kind() == reflect.Struct && !to.Field(i).IsNil():
			c := reflect.New(f.Elem().Type())
			c.Elem().Set(to.Field(i).Elem())
			overlayValue(c.Elem(), f.Elem())
			to.Field(i).Set(c)
		default:
			to.Field(i).Set(f)
		}
	}
}
