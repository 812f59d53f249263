package api

import "time"

// Scope is a set of things that a token may do.
type Scope string

// The scopes.
const (
	ScopePurgeSelect Scope = "purge_select" // purge by URL, key, path or host, and take that back
	ScopePurgeAll    Scope = "purge_all"    // purge everything of a service, and take that back
	ScopeGlobal      Scope = "global"       // everything, tokens included
	ScopeGlobalRead  Scope = "global:read"  // see receipts, status and the log
)

// NewToken is the body of POST PathTokens. Managing tokens needs a token with
// ScopeGlobal, or a call over the node's Unix socket. A token for some services
// manages tokens for these alone.
type NewToken struct {
	Name     string   `json:"name"`               // who acts, in receipts and logs: 1 to MaxTokenNameBytes bytes of printable ASCII
	Scopes   []Scope  `json:"scopes"`             // at least one
	Services []string `json:"services,omitempty"` // ids; empty: all

	// At most one of these; neither: the token is good until it is revoked.
	Expires   *time.Time `json:"expires,omitempty"`    // from this instant on it is no good
	ExpiresIn *Duration  `json:"expires_in,omitempty"` // the same, from now by the node's clock
}

// MaxTokenNameBytes bounds NewToken.Name, which stands in every receipt.
const MaxTokenNameBytes = 64

// TokenSource says where a token comes from.
type TokenSource string

// Where tokens come from.
const (
	TokenCreated    TokenSource = "created"       // by POST PathTokens
	TokenConfigured TokenSource = "configuration" // from the node's file; it can only be removed there
)

// Token describes a token. Its secret is in no answer but the one to its
// creation.
type Token struct {
	ID       string      `json:"id,omitempty"` // of a created token; never given to another
	Name     string      `json:"name"`
	Source   TokenSource `json:"source"`
	Scopes   []Scope     `json:"scopes"`
	Services []string    `json:"services,omitempty"` // absent: all
	Created  *time.Time  `json:"created,omitempty"`
	Expires  *time.Time  `json:"expires,omitempty"` // absent: never
	Expired  bool        `json:"expired,omitempty"`
	// LastUsed is when the answering node last accepted it; absent: not since
	// the node's start.
	LastUsed *time.Time `json:"last_used,omitempty"`
}

// CreatedToken is the answer to POST PathTokens.
type CreatedToken struct {
	Token
	// Value is the secret. It is shown here and never again: the node keeps only
	// a hash of it.
	Value string `json:"value"`
}

// Tokens is the answer to GET PathTokens: those that the caller may manage,
// configured ones first, then created ones, oldest first.
type Tokens struct {
	Tokens []Token `json:"tokens"`
}
