package control

import "github.com/rescind-edge/rescind/internal/event"

// Authenticate tells early whether a caller could be anybody, before a dialect
// reads and judges its request: it fails for a token that is not known, and
// without a token where no service would let the address in. The error wraps
// ErrUnauthenticated. Success allows nothing yet.
func (c *Control) Authenticate(creds Credentials, dialect string) error {
	st := c.state.Load()
	who, err := st.authenticate(creds)
	if err == nil && who.token == nil && !st.admitsAnywhere(creds) {
		err = ErrUnauthenticated
	}
	if err != nil {
		return c.deny(who, attempt{action: event.DeniedPurge, dialect: dialect}, err)
	}
	return nil
}

// authenticate finds the caller's token. A token that is presented and not
// known is an error even where none is needed: its owner believes it to count.
func (st *state) authenticate(creds Credentials) (caller, error) {
	who := caller{creds: creds}
	if creds.Token == "" {
		return who, nil
	}
	who.token = find(st.tokens, creds.Token)
	if who.token == nil {
		return who, ErrUnauthenticated
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
