package fastly

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/field"
)

// action is what a request to the API asks for.
type action uint8

const (
	unknown     action = iota
	purgeURL           // /purge/{url}
	purgeKey           // /service/{id}/purge/{key}
	purgeKeys          // /service/{id}/purge
	purgeAll           // /service/{id}/purge_all
	oneService         // /service/{id}
	allServices        // /service
	findService        // /service/search?name=
	tokenSelf          // /tokens/self
)

// route is a request target taken apart.
type route struct {
	action  action
	service string // decoded
	rest    string // purgeURL: the URL, raw; purgeKey: the key, decoded
	query   string // raw, of the look-ups alone
	asks    bool   // purgeKey: the query asks to wait, and is no part of the key
}

// parse reads a raw request target. It works on the raw form because both a
// surrogate key and a URL may hold slashes, escaped ones, and question marks,
// which a decoded path, cleaned by a multiplexer, would have lost.
func parse(target string) route {
	path := strings.TrimLeft(dialect.OriginForm(target), "/")
	if url, ok := strings.CutPrefix(path, "purge/"); ok && url != "" {
		return route{action: purgeURL, rest: url}
	}
	first, rest, _ := strings.Cut(path, "/")
	first, query, asked := strings.Cut(first, "?")
	if first == "tokens" && !asked {
		if self, _, _ := strings.Cut(rest, "?"); self == "self" {
			return route{action: tokenSelf}
		}
	}
	if first != "service" {
		return route{}
	}
	if asked || rest == "" {
		return route{action: allServices, query: query}
	}
	return parseService(rest)
}

// parseService reads what follows "/service/".
func parseService(path string) route {
	id, rest, _ := strings.Cut(path, "/")
	id, query, asked := strings.Cut(id, "?")
	if id = unescape(id); id == "search" && (asked || rest == "") {
		return route{action: findService, query: query}
	}
	if asked || rest == "" {
		return route{action: oneService, service: id, query: query}
	}
	verb, key, _ := strings.Cut(rest, "/")
	verb, _, asked = strings.Cut(verb, "?")
	switch {
	case verb == "purge" && (asked || key == ""):
		return route{action: purgeKeys, service: id}
	case verb == "purge":
		key, asks := cutWaiting(key)
		return route{action: purgeKey, service: id, rest: unescape(key), asks: asks}
	case verb == "purge_all" && (asked || key == ""):
		return route{action: purgeAll, service: id}
	}
	return route{}
}

// cutWaiting takes the query off a raw key that consists of nothing but the
// parameters by which a request asks to wait. Any other is a part of the key:
// clients send keys as they are, and one that means a question mark escapes it.
func cutWaiting(key string) (rest string, asks bool) {
	before, query, found := strings.Cut(key, "?")
	if !found || before == "" || !dialect.AsksToWait(query) {
		return key, false
	}
	return before, true
}

// bothSchemes returns a URL as clients put it behind "/purge/" in the form that
// selects it under either scheme, since this API purges a URL under both. Some
// clients escape the whole URL into one segment, and proxies in between merge
// the two slashes of a scheme.
func bothSchemes(url string) string {
	if first, _, _ := strings.Cut(url, "/"); escapedWhole(first) {
		url = unescape(url)
	}
	for _, scheme := range [...]string{"https:/", "http:/"} {
		if len(url) >= len(scheme) && strings.EqualFold(url[:len(scheme)], scheme) {
			url = url[len(scheme):]
			break
		}
	}
	return "//" + dialect.EscapeHash(strings.TrimLeft(url, "/"))
}

// escapedWhole tells whether the part of a URL before its first slash holds the
// escaped slash or colon that stand there only if all of the URL is escaped.
func escapedWhole(first string) bool {
	first, _, _ = strings.Cut(strings.ToLower(first), "?")
	return strings.Contains(first, "%2f") || strings.Contains(first, "%3a")
}

// unescape decodes percent-escapes once. What is not a valid escape stays as it
// is: keys are any bytes, and some clients send them raw.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, lo := field.Unhex(s[i+1]), field.Unhex(s[i+2]); hi >= 0 && lo >= 0 {
				b = append(b, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}
