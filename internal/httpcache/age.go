package httpcache

import (
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// born returns the instant from which a response's age counts: when its head
// arrived, less the age that it had by then (corrected_initial_age, RFC 9111
// section 4.2.3). How long the origin took to answer counts as age, because the
// response may have been made at the beginning of it.
func born(x *Exchange) int64 {
	delay := max(since(x.RequestTime, x.ResponseTime), 0)
	age := ageValue(x.Response) + delay
	return x.ResponseTime - int64(max(age, apparentAge(x)))
}

// apparentAge compares in whole seconds, as Date has no more: else every
// response would lose a part of a second.
func apparentAge(x *Exchange) time.Duration {
	received := x.ResponseTime / int64(time.Second)
	value, _ := x.Response.Get("Date")
	date, ok := parseDate(value, received)
	if !ok {
		return 0
	}
	return time.Duration(min(max(received-date, 0), maxSeconds)) * time.Second
}

// ageValue reads Age (RFC 9111 section 5.1): the first member counts, and an
// invalid one does not.
func ageValue(resp field.Fields) time.Duration {
	value, ok := resp.Get("Age")
	if !ok {
		return 0
	}
	first, _ := cutMember(value)
	n, _ := parseSeconds(field.Trim(first))
	return time.Duration(n) * time.Second
}
