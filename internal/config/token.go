package config

import "fmt"

// Token is a credential for the administrative and purge interfaces. Its value
// is hashed while it is read and held nowhere.
type Token struct {
	Name     string   // for receipts and logs; unique
	Hash     [32]byte // SHA-256 of the value
	Scopes   []Scope  // at least one
	Services []string // ids; empty: all services
}

// Scope is something that a token allows.
type Scope string

// The scopes of a token.
const (
	ScopePurgeSelect Scope = "purge_select" // purge by URL, key, path and host
	ScopePurgeAll    Scope = "purge_all"    // purge everything of a service
	ScopeGlobal      Scope = "global"       // everything
	ScopeGlobalRead  Scope = "global:read"  // read status and receipts
)

// String names the token and what it allows. The hash is left out, because a
// guessable value could be found from it.
func (t Token) String() string {
	return fmt.Sprintf("token %q, scopes %v, services %v", t.Name, t.Scopes, t.Services)
}

// GoString is String, so that no verb of fmt shows the hash.
func (t Token) GoString() string { return t.String() }
