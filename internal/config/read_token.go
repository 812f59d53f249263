package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

func (r *reader) readTokens(top *section) {
	r.seen.tokens = map[string]int{}
	r.seen.hashes = map[[32]byte]string{}
	top.each("tokens", func(item *node) {
		var token Token
		r.section(item, func(s *section) { r.readToken(s, &token) })
		r.config.Tokens = append(r.config.Tokens, token)
	})
	r.checkRequireToken(top)
}

func (r *reader) readToken(s *section, token *Token) {
	s.require("name", "give the token a name, which receipts and logs show")
	if name := s.get("name"); name != nil && parseNode(r, name, &token.Name, parseName) {
		if line, ok := r.seen.tokens[token.Name]; ok {
			r.fail(name, "%q is already the name of the token in line %d; names are unique", token.Name, line)
		} else {
			r.seen.tokens[token.Name] = name.line
		}
	}
	r.readSecret(s, token)
	r.readScopes(s, token)
	r.readTokenServices(s, token)
}

// readSecret reads value or hash. Nothing here may quote what was written.
func (r *reader) readSecret(s *section, token *Token) {
	value, hash := s.scalar("value"), s.scalar("hash")
	var err error
	switch {
	case s.has("value") && s.has("hash"):
		r.fail(s.n, "has both value and hash; keep one")
		return
	case value != nil:
		token.Hash, err = hashValue(value.text)
		hash = value
	case hash != nil:
		token.Hash, err = parseHash(hash.text)
	default:
		if !s.has("value") && !s.has("hash") {
			r.fail(s.n, `has neither value nor hash; write value: "${NAME}" to take it from the environment`)
		}
		return
	}
	if err != nil {
		r.fail(hash, "%s", err)
		return
	}
	if other, ok := r.seen.hashes[token.Hash]; ok {
		r.fail(hash, "is the same as that of the token %q; a token has one name", other)
		return
	}
	r.seen.hashes[token.Hash] = token.Name
}

// maxTokenBytes is what clients can be expected to send in a field.
const maxTokenBytes = 1024

func hashValue(value string) ([32]byte, error) {
	if value == "" {
		return [32]byte{}, errors.New("is empty, so that everybody would know it")
	}
	if len(value) > maxTokenBytes || strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return [32]byte{}, errors.New("cannot be sent in a field; take 1 to 1024 characters of ASCII without spaces")
	}
	return sha256.Sum256([]byte(value)), nil
}

func parseHash(text string) (hash [32]byte, err error) {
	digits, ok := strings.CutPrefix(text, "sha256:")
	decoded, err := hex.DecodeString(digits)
	if !ok || err != nil || len(decoded) != len(hash) {
		return hash, errors.New("is not sha256: and 64 hexadecimal digits; printf %s TOKEN | sha256sum makes them")
	}
	return [32]byte(decoded), nil
}

func (r *reader) readScopes(s *section, token *Token) {
	const hint = "list what the token allows: purge_select, purge_all, global, global:read"
	s.require("scopes", hint)
	if s.has("scopes") && emptyList(s, "scopes") {
		s.failField("scopes", "is empty; %s", hint)
	}
	s.oneOrEach("scopes", func(item *node) {
		var scope Scope
		if parseNode(r, item, &scope, parseScope) && !slices.Contains(token.Scopes, scope) {
			token.Scopes = append(token.Scopes, scope)
		}
	})
}

func parseScope(text string) (Scope, error) {
	scope := Scope(text)
	switch scope {
	case ScopePurgeSelect, ScopePurgeAll, ScopeGlobal, ScopeGlobalRead:
		return scope, nil
	}
	return "", errors.New("is not one of purge_select, purge_all, global, global:read")
}

func (r *reader) readTokenServices(s *section, token *Token) {
	if s.has("services") && emptyList(s, "services") {
		s.failField("services", "is empty, which would allow nothing; remove the line to allow all services")
	}
	s.oneOrEach("services", func(item *node) {
		if !r.want(item, isScalar) {
			return
		}
		if _, ok := r.seen.services[item.text]; !ok {
			r.fail(item, "there is no service with the id %q%s", clip(item.shown), r.similarService(item.text))
			return
		}
		token.Services = append(token.Services, item.text)
	})
}

func (r *reader) similarService(id string) string {
	var ids []string
	for _, service := range r.config.Services {
		ids = append(ids, service.ID)
	}
	if near := nearest(id, ids); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// checkRequireToken reports services that ask for a token which nobody has. It
// waits until nothing else is wrong: a token with a mistake might be the one.
// With a data directory, tokens can be made while the node runs.
func (r *reader) checkRequireToken(top *section) {
	if len(r.problems) > 0 || r.config.Node.DataDir != "" {
		return
	}
	services := top.n.find("services")
	for i, service := range r.config.Services {
		if service.Purge.RequireToken && !slices.ContainsFunc(r.config.Tokens, func(t Token) bool { return t.purges(service.ID) }) {
			r.fail(services.value.items[i], "purge.require_token is true, but no token may purge this service; add one under tokens, or set node.data_dir and make one while the node runs")
		}
	}
}

// purges tells whether t allows some purge of a service.
func (t Token) purges(service string) bool {
	return (len(t.Services) == 0 || slices.Contains(t.Services, service)) &&
		slices.ContainsFunc(t.Scopes, func(s Scope) bool { return s != ScopeGlobalRead })
}
