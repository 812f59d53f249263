package accesslog

import (
	"net/netip"
	"strconv"
	"time"
)

// object writes a JSON object behind what is in b. Names are constants or field
// names, in which nothing needs escaping (RFC 9110 section 5.1).
type object struct {
	b []byte
}

// open begins the object.
func open(dst []byte) object {
	return object{append(dst, '{')}
}

// close ends it and returns all.
func (o *object) close() []byte {
	return append(o.b, '}')
}

func (o *object) name(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

// text writes a string, unless it is empty.
func (o *object) text(name, value string) {
	if value == "" {
		return
	}
	o.name(name)
	o.b = appendJSON(o.b, value)
}

// texts writes a list of strings, unless it is empty.
func (o *object) texts(name string, list []string) {
	if len(list) == 0 {
		return
	}
	o.name(name)
	for i, s := range list {
		o.b = appendJSON(append(o.b, "[,"[min(i, 1)]), s)
	}
	o.b = append(o.b, ']')
}

// number writes a number, also where it is zero.
func (o *object) number(name string, n int64) {
	o.name(name)
	o.b = strconv.AppendInt(o.b, n, 10)
}

// some writes a number, unless it is zero.
func (o *object) some(name string, n int64) {
	if n != 0 {
		o.number(name, n)
	}
}

// flag writes true, unless it is false.
func (o *object) flag(name string, on bool) {
	if on {
		o.name(name)
		o.b = append(o.b, "true"...)
	}
}

func (o *object) time(name string, t time.Time) {
	o.name(name)
	o.b = append(appendTimestamp(append(o.b, '"'), t), '"')
}

// addr writes an address, unless it is invalid.
func (o *object) addr(name string, a netip.Addr) {
	if !a.IsValid() {
		return
	}
	o.name(name)
	o.b = append(appendAddr(append(o.b, '"'), a), '"')
}
