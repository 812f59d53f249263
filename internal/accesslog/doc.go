// Package accesslog makes lines of text from events: one for each finished or
// refused request, in JSON or in a format string as Apache and varnishncsa have
// them, and one for each purge, always in JSON. It hands them to outputs and
// does not care where those lead.
//
// Whatever a client sends, a line is one line: it holds no control byte, no
// value can be mistaken for the next one, and a JSON line always parses.
//
// # JSON
//
// A line is one object. Fields are only ever added. Those marked with a star
// are always there, the others where they are not empty, zero or false.
//
//	time*            when the request arrived: RFC 3339, UTC, microseconds
//	event*           "request"
//	outcome*         "hit", "stale", "miss", "pass", "error", "purge", "refused"
//	reason           why, in a word; of a refused request, what it was told
//	status*          what the client was told; 0 where it was told nothing
//	bytes*           of the response's content that were sent
//	received         bytes of the request's content that were read
//	duration_us*     microseconds until the last byte was sent
//	first_byte_us    microseconds until the response's head was sent
//	cut              true: the response ended early
//	id               of the request
//	service, node    that handled it
//	client           address, by a trusted proxy's word, else the peer's
//	edge, edge_pop   on a shield: the node that asked for its client, and its POP;
//	                 not there where a client asked
//	peer             address and port of the connection
//	tls              "TLSv1.2" or "TLSv1.3"
//	method, scheme, host, target, proto
//	origin           address that was asked
//	origin_status    what it answered
//	age, hits        of a hit: seconds since the origin made or confirmed it,
//	                 and how often it has been used
//	collapsed        true: answered from another request's fetch
//	referer, user_agent
//	request_headers  those named in the configuration, by lower-case name
//	response_headers the same
//
// Purges and what belongs to them have the event "purge", "revert", "denied" or
// "token":
//
//	time*, event*, outcome*, id, service, actor, address, dialect
//	selectors        of a purge: objects with kind and value
//	omitted          how many more there were
//	mode             "hard" or "soft"
//	note             the caller's own words
//	node             of a purge that another node accepted: its name
//	elsewhere        true: of a revert that another node accepted
//	took_us*         of a purge of this node's: microseconds until it was applied
//	count            of a purge: objects withdrawn on this node, where known
//	action, reason   of what was denied
//	detail           what the caller was told
//	suppressed       how many records before this one were left out
//	name, expires    of a token
//	scopes           of a token, separated by spaces
//	services         of a token: a list; left out: all
//
// The outcome is "applied" for a purge, "denied" for what was denied, what was
// achieved for a revert, and "created" or "revoked" for a token. A value of more than MaxValueBytes is cut and then
// ends in three dots. Bytes that are not UTF-8 become U+FFFD.
package accesslog
