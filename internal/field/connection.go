package field

// OfConnection tells whether a field is about the connection that it came on,
// whatever Connection says: it is not forwarded (RFC 9110 section 7.6.1), and has
// no place in HTTP/2 (RFC 9113 section 8.2.2). TE, which has one there, is not
// among them.
func OfConnection(name string) bool {
	switch len(name) {
	case len("Upgrade"):
		return EqualFold(name, "Upgrade")
	case len("Connection"): // and Keep-Alive
		return EqualFold(name, "Connection") || EqualFold(name, "Keep-Alive")
	case len("Proxy-Connection"):
		return EqualFold(name, "Proxy-Connection")
	case len("Transfer-Encoding"):
		return EqualFold(name, "Transfer-Encoding")
	}
	return false
}
