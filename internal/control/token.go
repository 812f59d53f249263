package control

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scope is a set of things that a token may do.
type Scope uint8

// The scopes, by the names that clients know.
const (
	PurgeSelect Scope = 1 << iota // purge by URL, key, path or host, and take that back
	PurgeAll                      // purge everything of a service, and take that back
	Global                        // everything
	GlobalRead                    // see receipts and status
)

var scopeNames = [...]struct {
	name  string
	scope Scope
}{
	{"purge_select", PurgeSelect},
	{"purge_all", PurgeAll},
	{"global", Global},
	{"global:read", GlobalRead},
}

// ParseScope returns the scope of a name.
func ParseScope(name string) (Scope, error) {
	for _, s := range scopeNames {
		if s.name == name {
			return s.scope, nil
		}
	}
	return 0, fmt.Errorf("unknown scope %q; use purge_select, purge_all, global or global:read", name)
}

// String returns the names of the scopes in s, separated by spaces.
func (s Scope) String() string { return strings.Join(s.Names(), " ") }

// Names returns the names of the scopes in s.
func (s Scope) Names() []string {
	var names []string
	for _, n := range scopeNames {
		if s&n.scope != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

// TokenSpec describes a token as an operator configures it: exactly one of
// Value and Hash.
type TokenSpec struct {
	Name     string    // who acts, in receipts and logs
	Value    string    // the secret itself; not kept
	Hash     string    // "sha256:" and the 64 hexadecimal digits of the secret's SHA-256
	Scopes   []string  // at least one
	Services []string  // ids; empty: all
	Expires  time.Time // from this instant on it is no good; zero: never
}

// String returns the name alone, so that a secret is not printed by accident.
func (s TokenSpec) String() string { return "token " + s.Name }

// GoString does what String does, for %#v.
func (s TokenSpec) GoString() string { return s.String() }

// Token is a credential that callers present. It holds a digest of the secret,
// never the secret: a plain SHA-256, since tokens are random and cannot be
// guessed from a digest as passwords can.
type Token struct {
	name     string
	digest   [sha256.Size]byte
	scopes   Scope
	services []string
	expires  time.Time // zero: never

	id      string    // of one created at run time; "" of a configured one
	created time.Time // the same

	account *account // set once the token is taken up by a Control
}

// NewToken checks a description and returns its token. Errors do not hold the
// secret.
func NewToken(spec TokenSpec) (Token, error) {
	t := Token{name: spec.Name, services: slices.Clone(spec.Services), expires: spec.Expires}
	if spec.Name == "" || slices.Contains(actors, spec.Name) {
		return Token{}, fmt.Errorf("a token cannot be named %q", spec.Name)
	}
	digest, err := digestOf(spec)
	if err != nil {
		return Token{}, fmt.Errorf("token %q: %w", spec.Name, err)
	}
	t.digest = digest
	if t.scopes, err = parseScopes(spec.Scopes); err != nil {
		return Token{}, fmt.Errorf("token %q: %w", spec.Name, err)
	}
	return t, nil
}

// parseScopes returns the scopes of at least one name.
func parseScopes(names []string) (all Scope, err error) {
	for _, name := range names {
		scope, err := ParseScope(name)
		if err != nil {
			return 0, err
		}
		all |= scope
	}
	if all == 0 {
		return 0, errors.New("a token needs at least one scope: purge_select, purge_all, global or global:read")
	}
	return all, nil
}

func digestOf(spec TokenSpec) (digest [sha256.Size]byte, err error) {
	switch {
	case spec.Value != "" && spec.Hash != "":
		return digest, errors.New("has both a value and a hash")
	case spec.Value != "":
		return sha256.Sum256([]byte(spec.Value)), nil
	}
	digits, ok := strings.CutPrefix(spec.Hash, "sha256:")
	raw, err := hex.DecodeString(digits)
	if !ok || err != nil || len(raw) != len(digest) {
		return digest, errors.New(`needs a value, or a hash written "sha256:" and 64 hexadecimal digits`)
	}
	copy(digest[:], raw)
	return digest, nil
}

// covers tells whether the token is for a service.
func (t *Token) covers(service string) bool {
	return len(t.services) == 0 || slices.Contains(t.services, service)
}

// may tells whether the token allows all of need on a service.
func (t *Token) may(service string, need Scope) bool {
	return t.covers(service) && (t.scopes&Global != 0 || t.scopes&need == need)
}

// expired tells whether the token is no good any more at an instant.
func (t *Token) expired(now time.Time) bool {
	return !t.expires.IsZero() && !now.Before(t.expires)
}

// find returns the token with a secret, or nil. Every token is compared, and
// digests at that, so the time it takes tells nothing of any secret.
func find(secret string, lists ...[]Token) *Token {
	digest := sha256.Sum256([]byte(secret))
	var found *Token
	for _, tokens := range lists {
		at := -1
		for i := range tokens {
			same := subtle.ConstantTimeCompare(digest[:], tokens[i].digest[:])
			at = subtle.ConstantTimeSelect(same, i, at)
		}
		if at >= 0 {
			found = &tokens[at]
		}
	}
	return found
}
