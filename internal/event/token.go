package event

import (
	"net/netip"
	"time"
)

// TokenChanged is a token that was created or revoked at run time. The secret
// and its hash are in no record.
type TokenChanged struct {
	Time   time.Time
	Change TokenChange

	ID       string
	Name     string
	Scopes   string   // names, separated by spaces
	Services []string // empty: all
	Expires  time.Time

	Actor string // who did it
	Addr  netip.Addr
}

// TokenChange is what happened to a token. The set is fixed.
type TokenChange string

// What can happen to a token.
const (
	TokenCreated TokenChange = "created"
	TokenRevoked TokenChange = "revoked"
)

// DeniedTokens is the management of tokens as an action that can be denied.
const DeniedTokens DeniedAction = "tokens"

// Why something about tokens, or with one, is denied.
const (
	DeniedExpired      DeniedReason = "expired token"
	DeniedUnknownToken DeniedReason = "unknown token"
	DeniedKeyReused    DeniedReason = "idempotency key reused"
	DeniedNotSaved     DeniedReason = "not saved"
)
