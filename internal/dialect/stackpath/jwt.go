package stackpath

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// claims of an access token (RFC 7519 section 4.1). Clients read exp, and sub
// as whose it is.
type claims struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
	Issued  int64  `json:"iat"` // Unix seconds
	Expires int64  `json:"exp"`
	Grant   string `json:"grant"` // control.Grant.Ref
}

const issuer = "rescind"

// maxToken bounds an access token, in bytes: ours have some three hundred.
const maxToken = 2048

// Why an access token is no good.
var (
	// errNotOurs is returned for what is not an access token, or not one that
	// this key signed.
	errNotOurs = errors.New("not an access token of this node")
	// errExpired is returned for an access token that was good.
	errExpired = errors.New("the access token has expired")
)

// head of every access token. Others are not read at all, so there is no
// algorithm to be talked into.
var head = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))

// sign returns an access token (RFC 7515, compact serialization).
func (k Key) sign(c claims) string {
	payload, err := json.Marshal(c)
	if err != nil {
		panic("stackpath: " + err.Error()) // strings and numbers can be encoded
	}
	text := head + "." + base64.RawURLEncoding.EncodeToString(payload)
	return text + "." + base64.RawURLEncoding.EncodeToString(k.mac(text))
}

// verify returns the claims of an access token that is good at now. The error is
// errNotOurs or errExpired.
func (k Key) verify(token string, now time.Time) (c claims, err error) {
	if len(token) > maxToken {
		return c, errNotOurs
	}
	i := strings.LastIndexByte(token, '.')
	if i < 0 {
		return c, errNotOurs
	}
	text, signature := token[:i], token[i+1:]
	payload, ours := strings.CutPrefix(text, head+".")
	mac, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !ours || !hmac.Equal(mac, k.mac(text)) {
		return c, errNotOurs
	}
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || json.Unmarshal(raw, &c) != nil || c.Issuer != issuer || c.Grant == "" {
		return claims{}, errNotOurs
	}
	if now.Unix() >= c.Expires {
		return claims{}, errExpired
	}
	return c, nil
}

func (k Key) mac(text string) []byte {
	h := hmac.New(sha256.New, k[:])
	h.Write([]byte(text))
	return h.Sum(nil)
}
