package control

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/rescind-edge/rescind/internal/event"
)

// MaxTokenNameBytes bounds the name of a token created at run time, which
// stands in every receipt.
const MaxTokenNameBytes = 64

// NewTokenSpec describes a token to be created at run time.
type NewTokenSpec struct {
	Name     string    // printable ASCII, 1 to MaxTokenNameBytes; no other good token has it
	Scopes   []string  // at least one
	Services []string  // ids; empty: all
	Expires  time.Time // zero: never
}

// TokenInfo describes a token without its secret.
type TokenInfo struct {
	ID       string // "" of a configured token
	Name     string
	Scopes   Scope
	Services []string  // empty: all; must not be changed
	Created  time.Time // zero of a configured token
	Expires  time.Time // zero: never
	Expired  bool
	LastUsed time.Time // zero: not since the node's start

	// Entry is, in what CreateToken returns, that in which other nodes learn of it.
	Entry EntryID
}

// MayManageTokens tells early whether a caller may manage any tokens, before a
// dialect reads and judges its request.
func (c *Control) MayManageTokens(creds Credentials) error {
	who, err := c.manager(c.state.Load(), creds, c.parts.Now())
	if err != nil {
		return c.deny(who, attempt{action: event.DeniedTokens}, err)
	}
	return nil
}

// CreateToken creates a token and returns its secret, which is not kept. It
// needs a token with the scope global, or a Unix socket; a token for some
// services creates tokens for these alone. The error wraps ErrUnauthenticated,
// ErrForbidden, ErrBadRequest, ErrUnknownService, ErrTokenConflict, ErrNoDataDir
// or ErrNotSaved.
func (c *Control) CreateToken(creds Credentials, spec NewTokenSpec) (info TokenInfo, secret string, err error) {
	st, now := c.state.Load(), c.parts.Now()
	who, err := c.manager(st, creds, now)
	var tok Token
	var entry EntryID
	if err == nil {
		tok, secret, err = st.newToken(who, spec, now)
	}
	if err == nil {
		entry, err = c.createToken(tok, func(created []Token) error {
			return checkName(tok.name, now, st.tokens, created)
		})
	}
	if err != nil {
		return TokenInfo{}, "", c.deny(who, attempt{action: event.DeniedTokens}, err)
	}
	c.changed(event.TokenCreated, who, tok, now)
	info = tok.info(now)
	info.Entry = entry
	return info, secret, nil
}

// ListTokens returns the tokens that the caller may manage: configured ones,
// then created ones, oldest first. It needs what creating them needs.
func (c *Control) ListTokens(creds Credentials) ([]TokenInfo, error) {
	st, now := c.state.Load(), c.parts.Now()
	who, err := c.manager(st, creds, now)
	if err != nil {
		return nil, c.deny(who, attempt{action: event.DeniedTokens}, err)
	}
	var out []TokenInfo
	for _, tokens := range [...][]Token{st.tokens, c.tokens.all()} {
		for i := range tokens {
			if who.manages(tokens[i].services) {
				out = append(out, tokens[i].info(now))
			}
		}
	}
	return out, nil
}

// RevokeToken makes a token created at run time no good for any request that
// begins afterwards, and returns the entry in which other nodes learn of it. It
// needs what creating it needs. The error wraps ErrUnauthenticated,
// ErrForbidden, ErrUnknownToken or ErrNotSaved; with the last, the token is no
// good until the node is restarted.
func (c *Control) RevokeToken(creds Credentials, id string) (entry EntryID, err error) {
	st, now := c.state.Load(), c.parts.Now()
	who, err := c.manager(st, creds, now)
	var tok Token
	if err == nil {
		tok, entry, err = c.revokeToken(id, func(t Token) bool { return who.manages(t.services) })
	}
	if tok.id != "" {
		c.changed(event.TokenRevoked, who, tok, now)
	}
	if err != nil {
		return EntryID{}, c.deny(who, attempt{action: event.DeniedTokens}, err)
	}
	return entry, nil
}

// Self describes the token that a caller presents. The error wraps
// ErrUnauthenticated.
func (c *Control) Self(creds Credentials) (TokenInfo, error) {
	now := c.parts.Now()
	who, err := c.authenticate(c.state.Load(), creds, now)
	if err == nil && who.token == nil {
		err = ErrUnauthenticated
	}
	if err != nil {
		return TokenInfo{}, c.deny(who, attempt{action: event.DeniedRead}, err)
	}
	return who.token.info(now), nil
}

// manager authenticates a caller who wants to manage tokens. Being on the
// node's host is not enough: everybody who can open a TCP connection there
// would be. Who can open the socket was chosen by its permissions.
func (c *Control) manager(st *state, creds Credentials, now time.Time) (caller, error) {
	who, err := c.authenticate(st, creds, now)
	switch {
	case err != nil:
	case who.token == nil && !who.onSocket():
		err = fmt.Errorf("%w: managing tokens needs a token with the scope %v, or the node's Unix socket", ErrUnauthenticated, Global)
	case who.token != nil && who.token.scopes&Global == 0:
		err = fmt.Errorf("%w: %q needs %v to manage tokens", ErrForbidden, who.token.name, Global)
	}
	return who, err
}

func (c caller) onSocket() bool {
	return c.creds.Local && !c.creds.Forwarded && !c.creds.TokenOnly && c.creds.Listener == AdminListener
}

// manages tells whether a manager may see, create and revoke tokens for
// services. Nobody hands out more than he has.
func (c caller) manages(services []string) bool {
	if c.token == nil || len(c.token.services) == 0 {
		return true
	}
	return len(services) > 0 && !slices.ContainsFunc(services, func(id string) bool { return !c.token.covers(id) })
}

// newToken makes a token with a fresh secret.
func (st *state) newToken(who caller, spec NewTokenSpec, now time.Time) (Token, string, error) {
	if err := st.checkSpec(who, spec, now); err != nil {
		return Token{}, "", err
	}
	secret := newSecret()
	tok, err := NewToken(TokenSpec{
		Name: spec.Name, Value: secret, Scopes: spec.Scopes, Services: spec.Services, Expires: spec.Expires,
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	tok.id, tok.created, tok.account = ulid.Make().String(), now.UTC(), new(account)
	return tok, secret, nil
}

func (st *state) checkSpec(who caller, spec NewTokenSpec, now time.Time) error {
	if !who.manages(spec.Services) {
		return fmt.Errorf("%w: %q is for some services, and creates tokens for these alone", ErrForbidden, who.token.name)
	}
	if len(spec.Name) > MaxTokenNameBytes || strings.TrimSpace(spec.Name) != spec.Name || !printable(spec.Name) {
		return fmt.Errorf("%w: a token's name must be 1 to %d bytes of printable ASCII", ErrBadRequest, MaxTokenNameBytes)
	}
	for _, id := range spec.Services {
		if st.services[id] == nil {
			return fmt.Errorf("%w %q", ErrUnknownService, clip(id))
		}
	}
	if !spec.Expires.IsZero() && !now.Before(spec.Expires) {
		return fmt.Errorf("%w: the token would have expired already", ErrBadRequest)
	}
	return nil
}

// checkName refuses a name that a good token has: receipts say who did it.
func checkName(name string, now time.Time, lists ...[]Token) error {
	for _, tokens := range lists {
		for i := range tokens {
			if tokens[i].name == name && !tokens[i].expired(now) {
				return fmt.Errorf("%w: there is a token named %q", ErrTokenConflict, name)
			}
		}
	}
	return nil
}

// newSecret returns 256 random bits in letters and digits. The prefix lets
// scanners of source code and logs find it.
func newSecret() string {
	var random [32]byte
	rand.Read(random[:])
	return "rsc_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random[:]))
}

func (t *Token) info(now time.Time) TokenInfo {
	return TokenInfo{
		ID: t.id, Name: t.name, Scopes: t.scopes, Services: t.services, Created: t.created,
		Expires: t.expires, Expired: t.expired(now), LastUsed: t.account.lastUsed(),
	}
}

func (c *Control) changed(what event.TokenChange, who caller, tok Token, now time.Time) {
	c.parts.TokenChanged(event.TokenChanged{
		Time: now, Change: what, ID: tok.id, Name: tok.name, Scopes: tok.scopes.String(),
		Services: tok.services, Expires: tok.expires, Actor: who.actor(), Addr: who.creds.Addr,
	})
}
