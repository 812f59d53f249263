package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// Limits of a keyring.
const (
	// MinSecret is the least bytes of a secret. Keys are derived from it without
	// stretching, so it must be random and not a word: whoever records one packet
	// can try secrets at leisure.
	MinSecret = 16
	// MaxSecrets is the most secrets at once. A rotation needs two; more are
	// left from rotations that were not finished.
	MaxSecrets = 8
)

// ErrSecret is wrapped by NewKeyring's errors.
var ErrSecret = errors.New("bad cluster secret")

// keyID names a secret in packets without telling anything about it.
type keyID [4]byte

type key struct {
	id     keyID
	secret []byte
	member []byte
}

// Keyring is one or more secrets, the primary first: what is sent is sealed
// under the primary, what is received may be sealed under any. It never
// changes; to rotate, give everybody a keyring with the new secret second,
// then one with it first, then one without the old.
type Keyring struct {
	keys []key
}

// NewKeyring derives keys from secrets, the primary first. The error wraps
// ErrSecret.
func NewKeyring(secrets [][]byte) (*Keyring, error) {
	if len(secrets) == 0 || len(secrets) > MaxSecrets {
		return nil, fmt.Errorf("%w: %d of them; between 1 and %d are needed", ErrSecret, len(secrets), MaxSecrets)
	}
	k := &Keyring{}
	for i, secret := range secrets {
		if len(secret) < MinSecret {
			return nil, fmt.Errorf("%w: secret %d has %d bytes; at least %d are needed", ErrSecret, i+1, len(secret), MinSecret)
		}
		secret = append([]byte(nil), secret...)
		one := key{secret: secret, member: derive(secret, nil, "rescind membership 1", 32)}
		copy(one.id[:], derive(secret, nil, "rescind key id 1", len(one.id)))
		if _, twice := k.find(one.id); twice {
			return nil, fmt.Errorf("%w: secret %d is given twice", ErrSecret, i+1)
		}
		k.keys = append(k.keys, one)
	}
	return k, nil
}

// Membership returns the keys for memberlist's keyring, the primary first.
func (k *Keyring) Membership() [][]byte {
	var out [][]byte
	for i := range k.keys {
		out = append(out, k.keys[i].member)
	}
	return out
}

// IDs returns the names under which packets refer to the secrets, the primary
// first, in hexadecimal: safe to show and to compare between nodes.
func (k *Keyring) IDs() []string {
	var out []string
	for i := range k.keys {
		out = append(out, hex.EncodeToString(k.keys[i].id[:]))
	}
	return out
}

// Derive returns keys for a purpose of the product's own, of n bytes, one for each
// secret, the primary's first. No purpose may begin like one of this package's.
func (k *Keyring) Derive(purpose string, n int) [][]byte {
	var out [][]byte
	for i := range k.keys {
		out = append(out, derive(k.keys[i].secret, nil, purpose, n))
	}
	return out
}

func (k *Keyring) find(id keyID) (*key, bool) {
	for i := range k.keys {
		if k.keys[i].id == id {
			return &k.keys[i], true
		}
	}
	return nil, false
}

// aead returns the cipher for one purpose. Each salt has a key of its own, so
// nonces need to be unique only under one salt.
func (k *key) aead(salt []byte, purpose string) cipher.AEAD {
	block, err := aes.NewCipher(derive(k.secret, salt, purpose, 32))
	if err != nil {
		panic(err) // the length is right
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the right block size
	}
	return a
}

func derive(secret, salt []byte, purpose string, n int) []byte {
	out, err := hkdf.Key(sha256.New, secret, salt, purpose, n)
	if err != nil {
		panic(err) // the length is right, and secrets have been checked
	}
	return out
}
