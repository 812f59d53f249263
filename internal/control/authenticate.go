package control

import (
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// Authenticate tells early whether a caller could be anybody, before a dialect
// reads and judges its request: it fails for a token that is not known, and
// without a token where no service would let the address in. The error wraps
// ErrUnauthenticated. Success allows nothing yet.
func (c *Control) Authenticate(creds Credentials, dialect string) error {
	st := c.state.Load()
	who, err := c.authenticate(st, creds, c.parts.Now())
	if err == nil && who.token == nil && !st.admitsAnywhere(creds) {
		err = creds.strange()
	}
	if err != nil {
		return c.deny(who, attempt{action: event.DeniedPurge, dialect: dialect}, err)
	}
	return nil
}

// authenticate identifies a caller and notes that its token was used.
func (c *Control) authenticate(st *state, creds Credentials, now time.Time) (caller, error) {
	who, err := c.identify(st, creds, now)
	if err == nil && who.token != nil {
		who.token.account.used.Store(now.UnixNano())
	}
	return who, err
}

// identify finds the caller's token. A token that is presented and not known is
// an error even where none is needed: its owner believes it to count.
func (c *Control) identify(st *state, creds Credentials, now time.Time) (caller, error) {
	who := caller{creds: creds}
	known, created := c.parts.TokensKnown(), []Token(nil)
	if known {
		created = c.tokens.all()
	}
	switch {
	case creds.Grant != "":
		who.token = findGrant(creds.Grant, st.tokens, created)
	case creds.Token != "":
		who.token = find(creds.Token, st.tokens, created)
	default:
		return who, nil
	}
	switch {
	case who.token == nil && !known:
		return who, ErrTokensUnknown
	case who.token == nil:
		return who, ErrUnauthenticated
	case who.token.expired(now):
		return who, ErrTokenExpired
	}
	return who, nil
}

func (st *state) admitsAnywhere(creds Credentials) bool {
	for _, svc := range st.order {
		if svc.admits(creds) {
			return true
		}
	}
	return false
}

// accountOf returns where a caller's use is counted. Callers without a token
// share one account, or one for the node's own host.
func (c *Control) accountOf(who caller) *account {
	switch {
	case who.token != nil:
		return who.token.account
	case who.creds.local():
		return &c.local
	}
	return &c.admitted
}
