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
		if hopByHop(src[i].Name) || nominates && nominated(src, src[i].Name) {
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

func nominated(src field.Fields, name string) bool {
	for i := range src {
		if field.EqualFold(src[i].Name, "Connection") && listed(src[i].Value, name) {
			return true
		}
	}
	return false
}

func hopByHop(name string) bool {
	switch len(name) {
	case 2:
		return field.EqualFold(name, "TE")
	case 7:
		return field.EqualFold(name, "Upgrade") || field.EqualFold(name, "Trailer")
	case 10:
		return field.EqualFold(name, "Connection") || field.EqualFold(name, "Keep-Alive")
	case 16:
		return field.EqualFold(name, "Proxy-Connection")
	case 17:
		return field.EqualFold(name, "Transfer-Encoding")
	case 18:
		return field.EqualFold(name, "Proxy-Authenticate")
	case 19:
		return field.EqualFold(name, "Proxy-Authorization")
	case 25:
		return field.EqualFold(name, "Proxy-Authentication-Info")
	}
	return false
}
