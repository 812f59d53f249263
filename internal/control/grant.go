package control

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// Grant names a token without its secret, for dialects that give their clients a
// credential of their own in exchange for one: a later request that carries
// Ref as Credentials.Grant acts as the token, for as long as the token is good.
type Grant struct {
	Name    string    // the token's
	ID      string    // the same; "" of a configured one
	Ref     string    // opaque; another secret under the same name has another
	Expires time.Time // the token's end; zero: never
}

// Exchange returns the grant of the token that the credentials present. The
// error wraps ErrUnauthenticated: without a token there is nothing to exchange.
func (c *Control) Exchange(creds Credentials) (Grant, error) {
	who, err := c.authenticate(c.state.Load(), creds, c.parts.Now())
	if err == nil && who.token == nil {
		err = ErrUnauthenticated
	}
	if err != nil {
		return Grant{}, c.deny(who, attempt{action: event.DeniedTokens}, err)
	}
	return Grant{Name: who.token.name, ID: who.token.id, Ref: who.token.ref(), Expires: who.token.expires}, nil
}

// Account returns a name for whom a caller's use is counted: that of its
// token, or one of ActorLocal and ActorAddress. The error wraps
// ErrUnauthenticated.
func (c *Control) Account(creds Credentials) (string, error) {
	st := c.state.Load()
	who, err := c.identify(st, creds, c.parts.Now())
	if err == nil && who.token == nil && !st.admitsAnywhere(creds) {
		err = ErrUnauthenticated
	}
	if err != nil {
		return "", err
	}
	return who.actor(), nil
}

// Admits tells whether a service lets a caller purge for the address alone. It
// is for requests that mean something else from everybody else, so it is
// neither counted nor reported.
func (c *Control) Admits(creds Credentials, serviceID string) bool {
	svc := c.state.Load().services[serviceID]
	return svc != nil && svc.admits(creds)
}

// ref derives a token's Grant.Ref from its digest, which it does not tell.
func (t *Token) ref() string {
	sum := sha256.Sum256(append([]byte("grant\x00"), t.digest[:]...))
	return hex.EncodeToString(sum[:16])
}

// findGrant returns the token with a Grant.Ref, or nil.
func findGrant(ref string, lists ...[]Token) *Token {
	for _, tokens := range lists {
		for i := range tokens {
			if tokens[i].ref() == ref {
				return &tokens[i]
			}
		}
	}
	return nil
}

// ServiceOf returns the id of the service that has a host, given as an
// authority in any spelling.
func (c *Control) ServiceOf(authority string) (id string, ok bool) {
	id, err := c.state.Load().serviceOfHost(authority)
	return id, err == nil
}
