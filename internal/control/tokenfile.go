package control

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// tokenFileVersion is the version of the file's format. A file of another
// version is refused, not guessed at.
const tokenFileVersion = 1

// maxTokenFile bounds the file in bytes: MaxTokens tokens with a hundred
// services each fit.
const maxTokenFile = 16 << 20

// fileOfTokens is the file: JSON, so that an operator can look at it. Secrets
// are in it as SHA-256 only.
type fileOfTokens struct {
	Version int           `json:"version"`
	Tokens  []tokenRecord `json:"tokens"`
}

type tokenRecord struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Hash     string    `json:"sha256"` // hexadecimal
	Scopes   []string  `json:"scopes"`
	Services []string  `json:"services,omitempty"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires,omitzero"`
}

func tokenFile(dir string) string { return filepath.Join(dir, "tokens.json") }

// readTokens reads a file; one that does not exist holds none.
func readTokens(name string) ([]Token, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	if err != nil {
		return nil, fmt.Errorf("tokens: read %s: %w", name, err)
	}
	list, err := parseTokens(data)
	if err != nil {
		return nil, fmt.Errorf("tokens: %s is damaged: %w; restore it from a backup, or move it away to start without the tokens created at run time", name, err)
	}
	return list, nil
}

// parseTokens reads the content of a file.
func parseTokens(data []byte) ([]Token, error) {
	if len(data) > maxTokenFile {
		return nil, fmt.Errorf("it is larger than %d bytes", maxTokenFile)
	}
	var versioned struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &versioned); err != nil {
		return nil, err
	}
	if versioned.Version != tokenFileVersion {
		return nil, fmt.Errorf("it has version %d, and this program knows version %d", versioned.Version, tokenFileVersion)
	}
	var file fileOfTokens
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return nil, err
	}
	if len(file.Tokens) > MaxTokens {
		return nil, fmt.Errorf("%d tokens; the most are %d", len(file.Tokens), MaxTokens)
	}
	list := make([]Token, 0, len(file.Tokens))
	seen := make(map[string]bool, len(file.Tokens))
	for _, r := range file.Tokens {
		tok, err := r.token()
		if err != nil {
			return nil, err
		}
		if seen[r.ID] || seen[r.Hash] {
			return nil, fmt.Errorf("token %q is there twice", r.ID)
		}
		seen[r.ID], seen[r.Hash] = true, true
		list = append(list, tok)
	}
	return list, nil
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

func recordOf(t Token) tokenRecord {
	return tokenRecord{
		ID: t.id, Name: t.name, Hash: hex.EncodeToString(t.digest[:sha256.Size]),
		Scopes: t.scopes.Names(), Services: t.services, Created: t.created, Expires: t.expires,
	}
}

// writeTokens replaces a file as a whole: a crash leaves the old or the new one.
func writeTokens(name string, list []Token) error {
	file := fileOfTokens{Version: tokenFileVersion, Tokens: []tokenRecord{}}
	for _, t := range list {
		file.Tokens = append(file.Tokens, recordOf(t))
	}
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return err
	}
	next := name + ".new"
	if err := writeSynced(next, append(data, '\n')); err != nil {
		return err
	}
	if err := os.Rename(next, name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// writeSynced writes a file that nobody else may read, down to the disk.
func writeSynced(name string, data []byte) error {
	// What a crash left of an earlier attempt may have other permissions.
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncDir makes a rename in a directory outlast a power failure.
func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
