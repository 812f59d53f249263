package httpcache

import "github.com/rescind-edge/rescind/internal/field"

// EndToEnd appends to dst the lines of src that are for the other end: not
// those about the connection, nor those that Connection names (RFC 9110 section
// 7.6.1, RFC 9111 section 3.1). It does not allocate where dst has room.
//
// Trailer goes too, though it is no hop-by-hop field: it announces what stands
// behind a body that the next hop frames anew, and a stored body has lost it.
//
// With many names in Connection this is slow in the length of the head, which
// whoever read it has bounded.
func EndToEnd(src field.Fields, dst field.Fields) field.Fields {
	nominates := false
	for i := range src {
		if field.EqualFold(src[i].Name, "Connection") {
			nominates = nominates || !usualConnection(src[i].Value)
		}
	}
	for i := range src {
		if hopByHop(src[i].Name) || nominates && src.Lists("Connection", src[i].Name) {
			continue
		}
		dst = append(dst, src[i])
	}
	return dst
}

// usualConnection tells whether a Connection line names no field but those that
// are dropped anyway.
func usualConnection(value string) bool {
	return field.EqualFold(value, "keep-alive") || field.EqualFold(value, "close") ||
		field.EqualFold(value, "upgrade")
}

func hopByHop(name string) bool {
	switch len(name) {
	case len("TE"):
		return field.EqualFold(name, "TE")
	case len("Trailer"): // and Upgrade
		return field.EqualFold(name, "Trailer") || field.OfConnection(name)
	case len("Proxy-Authenticate"):
		return field.EqualFold(name, "Proxy-Authenticate")
	case len("Proxy-Authorization"):
		return field.EqualFold(name, "Proxy-Authorization")
	case len("Proxy-Authentication-Info"):
		return field.EqualFold(name, "Proxy-Authentication-Info")
	}
	return field.OfConnection(name)
}
