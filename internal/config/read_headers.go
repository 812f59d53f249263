package config

import (
	"errors"
	"slices"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

func readHeaders(s *section, rules *HeaderRules) {
	s.section("request", func(s *section) {
		readHeaderRule(s, &rules.Request, parseRequestField)
	})
	s.section("response", func(s *section) {
		readHeaderRule(s, &rules.Response, parseResponseField)
		readHeaderValues(s, "add", &rules.Response.Add, parseResponseField)
	})
}

func readHeaderRule(s *section, rule *HeaderRule, parse func(string) (string, error)) {
	readHeaderValues(s, "set", &rule.Set, parse)
	s.oneOrEach("remove", func(item *node) {
		var name string
		if !parseNode(s.r, item, &name, parse) {
			return
		}
		if slices.ContainsFunc(rule.Set, func(h Header) bool { return field.EqualFold(h.Name, name) }) {
			s.r.fail(item, "%s is in set too, which replaces what there is; remove it here", name)
		}
		rule.Remove = append(rule.Remove, name)
	})
}

// readHeaderValues reads a mapping of names to one value or several.
func readHeaderValues(s *section, name string, into *[]Header, parse func(string) (string, error)) {
	s.section(name, func(s *section) {
		for _, e := range s.n.fields {
			name, err := parse(e.name)
			if err != nil {
				s.known = append(s.known, e.name)
				s.r.failAt(e.line, e.column, e.value.path, "%q %s", clip(e.name), err)
				continue
			}
			s.oneOrEach(e.name, func(item *node) {
				value := Header{Name: name}
				if parseNode(s.r, item, &value.Value, parseFieldValue) {
					*into = append(*into, value)
				}
			})
		}
	})
}

// maxFieldValue bounds one configured value; more would not pass most servers.
const maxFieldValue = 8 << 10

func parseFieldValue(text string) (string, error) {
	if len(text) > maxFieldValue || !field.ValidValue(text) || strings.Trim(text, " \t") != text {
		return "", errors.New("cannot be the value of a field: it has control characters, white space around it, or more than 8KiB")
	}
	return text, nil
}

// Fields whose meaning depends on the connection or on what the node does with
// the message: changed behind its back, they would say something that is not so.
var (
	framingFields = []string{
		"Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
	}
	requestFields = []string{
		"Expect", "Forwarded", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since",
		"Max-Forwards", "Range", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
	}
	responseFields = []string{"Age", "Content-Encoding", "Content-Range", "Date"}
)

func parseRequestField(text string) (string, error) {
	if field.EqualFold(text, "Host") {
		return "", errors.New("is set by host of each origin; remove it here")
	}
	return parseRuleField(text, requestFields)
}

func parseResponseField(text string) (string, error) { return parseRuleField(text, responseFields) }

func parseRuleField(text string, own []string) (string, error) {
	same := func(name string) bool { return field.EqualFold(name, text) }
	if slices.ContainsFunc(framingFields, same) || slices.ContainsFunc(own, same) {
		return "", errors.New("is a field that the node writes itself; remove it here")
	}
	return parseFieldName(text)
}
