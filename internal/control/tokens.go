package control

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/journal"
	replicated "github.com/rescind-edge/rescind/internal/journal/state"
)

// MaxTokens is from how many tokens created at run time on no more can be. All
// are compared with every token presented, which takes some 30 microseconds at
// this number. Nodes that cannot hear of each other may make more together.
const MaxTokens = 1000

// expiredFor is how long a token is remembered past its end, so that its user
// is told that it has expired and not that it never was.
const expiredFor = 30 * 24 * time.Hour

// tokens are those created at run time. They are items of the replicated state:
// an entry makes or revokes one, everywhere in the time that a purge takes, and
// whoever did not see the entry gets the state.
//
// A name is taken once on a node. Two nodes that have not heard of each other may
// both give it away; both tokens are good then, since each has been handed to
// somebody, and are told apart by their ids. A removal wins over all else.
type tokens struct {
	live atomic.Pointer[[]Token]

	changing sync.Mutex // held from looking for a name until it is taken
}

// all returns the tokens, oldest first, which must not be changed.
func (t *tokens) all() []Token {
	if list := t.live.Load(); list != nil {
		return *list
	}
	return nil
}

// tokenRecord is a token in the state: JSON, in which a later version may add
// members. The secret is in it as SHA-256 only.
type tokenRecord struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Hash     string    `json:"sha256"` // hexadecimal
	Scopes   []string  `json:"scopes"`
	Services []string  `json:"services,omitempty"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires,omitzero"`
}

func recordOf(t Token) tokenRecord {
	return tokenRecord{
		ID: t.id, Name: t.name, Hash: hex.EncodeToString(t.digest[:sha256.Size]),
		Scopes: t.scopes.Names(), Services: t.services, Created: t.created, Expires: t.expires,
	}
}

func (r tokenRecord) token() (Token, error) {
	if r.ID == "" {
		return Token{}, fmt.Errorf("token %q has no id", r.Name)
	}
	tok, err := NewToken(TokenSpec{
		Name: r.Name, Hash: "sha256:" + r.Hash, Scopes: r.Scopes, Services: r.Services, Expires: r.Expires,
	})
	tok.id, tok.created, tok.account = r.ID, r.Created, new(account)
	return tok, err
}

func parseToken(data []byte) (Token, error) {
	var r tokenRecord
	if err := json.Unmarshal(data, &r); err != nil {
		return Token{}, fmt.Errorf("%w: %w", errBadBody, err)
	}
	return r.token()
}

// Items says which items of the replicated state an entry changes, for the
// journal that a Control works with. What cannot be read changes nothing: a
// token that nobody understands is good for nothing.
func Items(e *journal.Entry) []replicated.Item {
	switch e.Kind {
	case journal.KindTokenCreate:
		if tok, err := parseToken(e.Body); err == nil {
			return []replicated.Item{replicated.Item{Key: tokenKey(tok.id)}.Next(e.Time, e.Body)}
		}
	case journal.KindTokenRevoke:
		if id, at, err := parseRevoked(e.Body); err == nil {
			return []replicated.Item{replicated.Item{Key: tokenKey(id)}.Removal(at)}
		}
	}
	return nil
}

func tokenKey(id string) replicated.Key { return replicated.Key{Kind: replicated.KindToken, ID: id} }

// take takes up items that have changed. What a token was used for so far stays
// known. It is called under the journal's lock, or before the journal starts.
func (t *tokens) take(items []replicated.Item) {
	if len(items) == 0 {
		return // as with every purge
	}
	latest := make(map[string]*replicated.Item)
	for i := range items {
		if it := &items[i]; it.Kind == replicated.KindToken {
			latest[it.ID] = it
		}
	}
	if len(latest) == 0 {
		return
	}
	list := slices.DeleteFunc(slices.Clone(t.all()), func(old Token) bool { return latest[old.id] != nil })
	for _, it := range latest {
		if it.Removed {
			continue
		}
		// More than MaxTokens may come together from nodes that were apart; what
		// bounds them is the state. All nodes must take the same ones.
		if tok, err := parseToken(it.Value); err == nil && tok.id == it.ID {
			list = append(list, tok)
		}
	}
	slices.SortFunc(list, func(a, b Token) int {
		if d := a.created.Compare(b.created); d != 0 {
			return d
		}
		return strings.Compare(a.id, b.id)
	})
	t.live.Store(&list)
}

// createToken makes a token good everywhere.
func (c *Control) createToken(tok Token, check func([]Token) error) (EntryID, error) {
	if !c.parts.KeepTokens {
		return EntryID{}, ErrNoDataDir
	}
	done, err := c.issueToken(tok, check)
	if err == nil {
		err = done.durable() // with those of others, in one sync
	}
	if err != nil {
		return EntryID{}, err
	}
	return done.id, nil
}

// issueToken makes a token good, if its name is free. Nothing is to be said of it
// before what it returns is durable.
func (c *Control) issueToken(tok Token, check func([]Token) error) (issued, error) {
	c.tokens.changing.Lock()
	defer c.tokens.changing.Unlock()
	if err := c.forgetExpired(tok.created.Add(-expiredFor)); err != nil {
		return issued{}, err
	}
	list := c.tokens.all()
	if len(list) >= MaxTokens {
		return issued{}, fmt.Errorf("%w: there are %d, which is the most; revoke some", ErrTokenConflict, MaxTokens)
	}
	if err := check(list); err != nil {
		return issued{}, err
	}
	body, err := json.Marshal(recordOf(tok))
	if err != nil {
		return issued{}, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	done, err := c.append(journal.Draft{Kind: journal.KindTokenCreate, Body: body})
	if err != nil {
		return issued{}, err
	}
	if _, ok := c.parts.Journal.Item(tokenKey(tok.id)); !ok {
		return issued{}, fmt.Errorf("%w: what nodes replicate is full", ErrTokenConflict)
	}
	return done, nil
}

// forgetExpired revokes what expired before an instant. Nobody waits for the disk:
// they are good for nothing as it is.
func (c *Control) forgetExpired(before time.Time) error {
	for _, old := range c.tokens.all() {
		if !old.expired(before) {
			continue
		}
		if _, err := c.append(journal.Draft{Kind: journal.KindTokenRevoke, Body: c.revoked(old.id)}); err != nil {
			return err
		}
	}
	return nil
}

// revokeToken takes a token that may is true for away, everywhere. With
// ErrNotSaved the token is no good, but would be after a restart; revoking it
// again writes it again.
func (c *Control) revokeToken(id string, may func(Token) bool) (Token, EntryID, error) {
	tok, done, err := c.issueRevocation(id, may)
	switch {
	case err == nil:
		return tok, done.id, done.durable() // with those of others, in one sync
	case !errors.Is(err, ErrUnknownToken):
		return Token{}, EntryID{}, err
	}
	// Somebody else may have revoked it at this moment, and wait for the disk:
	// whoever is told that it is gone must be able to rely on that.
	if it, ok := c.parts.Journal.Item(tokenKey(id)); ok && it.Removed {
		failing := c.parts.Journal.Stats().Failing != nil
		if saved := c.saved(); saved != nil || failing {
			return Token{}, EntryID{}, saved
		}
	}
	return Token{}, EntryID{}, err
}

// issueRevocation makes a token good for nothing. Nothing is to be said of it
// before what it returns is durable.
func (c *Control) issueRevocation(id string, may func(Token) bool) (Token, issued, error) {
	c.tokens.changing.Lock()
	defer c.tokens.changing.Unlock()
	list := c.tokens.all()
	i := slices.IndexFunc(list, func(tok Token) bool { return tok.id == id && may(tok) })
	if i < 0 {
		return Token{}, issued{}, fmt.Errorf("%w %q", ErrUnknownToken, clip(id))
	}
	done, err := c.append(journal.Draft{Kind: journal.KindTokenRevoke, Body: c.revoked(id)})
	return list[i], done, err
}

// revoked encodes that a token is revoked, no earlier than it was made, whatever
// the clocks of the nodes say.
func (c *Control) revoked(id string) []byte {
	it, _ := c.parts.Journal.Item(tokenKey(id))
	return appendInt(appendText(nil, revokedID, id), revokedTime, it.Removal(c.parts.Now().UnixMilli()).Time)
}
