package control

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// MaxTokens is the most tokens created at run time. All are compared with every
// token presented, which takes some 30 microseconds at this number.
const MaxTokens = 1000

// expiredFor is how long a token is remembered past its end, so that its user
// is told that it has expired and not that it never was.
const expiredFor = 30 * 24 * time.Hour

// Tokens are the tokens created at run time, kept in one file. The zero Tokens
// is empty and has no file: none can be created. Methods may be called from
// many goroutines. One process at a time may use a file.
type Tokens struct {
	file string // "": nowhere
	live atomic.Pointer[[]Token]

	mu      sync.Mutex          // held while they change
	unsaved map[string]struct{} // ids revoked since the file was last written; under mu
}

// OpenTokens returns the tokens kept in a data directory, which must exist;
// "" is a node without one. The error says what is wrong with the file, which
// is left as it is.
func OpenTokens(dir string) (*Tokens, error) {
	t := &Tokens{unsaved: make(map[string]struct{})}
	if dir == "" {
		return t, nil
	}
	t.file = tokenFile(dir)
	list, err := readTokens(t.file)
	if err != nil {
		return nil, err
	}
	t.live.Store(&list)
	return t, nil
}

// all returns the tokens, oldest first, which must not be changed.
func (t *Tokens) all() []Token {
	if list := t.live.Load(); list != nil {
		return *list
	}
	return nil
}

// create keeps a token and makes it good. When it returns an error, the token
// is no good. check sees the tokens that there are, and may refuse.
func (t *Tokens) create(tok Token, check func([]Token) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == "" {
		return ErrNoDataDir
	}
	list := slices.DeleteFunc(slices.Clone(t.all()), func(old Token) bool {
		return old.expired(tok.created.Add(-expiredFor))
	})
	if len(list) >= MaxTokens {
		return fmt.Errorf("%w: there are %d, which is the most; revoke some", ErrTokenConflict, MaxTokens)
	}
	if err := check(list); err != nil {
		return err
	}
	list = append(list, tok)
	if err := t.saveLocked(list); err != nil {
		return err
	}
	t.live.Store(&list)
	return nil
}

// revoke takes a token that may is true for away, at once. Where the file
// cannot be written, the error wraps ErrNotSaved: the token is no good, but
// would be after a restart; revoking it again writes the file again.
func (t *Tokens) revoke(id string, may func(Token) bool) (Token, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := slices.Clone(t.all())
	i := slices.IndexFunc(list, func(tok Token) bool { return tok.id == id && may(tok) })
	var gone Token
	switch _, again := t.unsaved[id]; {
	case i >= 0:
		gone = list[i]
		list = slices.Delete(list, i, i+1)
		t.unsaved[id] = struct{}{}
		t.live.Store(&list)
	case !again:
		return Token{}, fmt.Errorf("%w %q", ErrUnknownToken, clip(id))
	}
	return gone, t.saveLocked(list)
}

func (t *Tokens) saveLocked(list []Token) error {
	if err := writeTokens(t.file, list); err != nil {
		return fmt.Errorf("%w: %w", ErrNotSaved, err)
	}
	clear(t.unsaved)
	return nil
}
