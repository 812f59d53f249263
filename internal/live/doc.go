// Package live holds what a node knows of this moment: who listens to its log
// (Hub), what is asked for most (Top, with a Sampler), and why a request was not
// answered from the store (Misses). All of it is in memory, bounded, and gone
// with the process.
//
// These are data structures: they read no clock, start no goroutine and format
// nothing. What they cost a request is beside each; nothing here waits for a
// slow reader.
//
// # Filters
//
// A Filter selects requests. It is a list of terms with white space between,
// all of which must hold; an empty one takes everything:
//
//	status>=500 host=www.example.com outcome=miss,pass path~/news/* duration>250ms
//
//	filter   = [ term *( space term ) ]
//	term     = field operator value *( "," value )
//	operator = "=" | "!=" | "~" | "!~" | "<" | "<=" | ">" | ">="
//	value    = any bytes but white space, "," and the quote
//	         | a quoted string, in which \" and \\ stand for the quote and the backslash
//
// With several values, "=" and "~" hold if one of them matches, "!=" and "!~"
// if none does; the others take one value.
//
//	service node id outcome reason edge edge_pop peer tls method scheme
//	proto target path query origin referer user_agent
//	           text: = != compare all of it, ~ !~ with a pattern in which *
//	           stands for any bytes, or none. path and query are the parts of
//	           target before and after its first question mark.
//	host       text in any case; its port only counts where the value has one
//	request.NAME response.NAME
//	           text: a field of either message, repeated lines joined by ", "
//	status origin_status hits
//	           numbers: = != < <= > >=; a class is written 5xx
//	bytes received
//	           numbers, with KB, MB, GB, KiB, MiB or GiB if need be
//	duration first_byte age
//	           times such as 250ms, 1.5s or 2h: the same operators
//	cut collapsed
//	           true or false: = !=
//	client     an address, or a network such as 10.0.0.0/8: = !=
//
// The names are those of the access log in JSON.
package live
