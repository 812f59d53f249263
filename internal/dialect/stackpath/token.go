package stackpath

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
)

// lifetime of an access token. Its clients ask for another when they get 401.
const lifetime = time.Hour

type tokenRequest struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
	Grant  string `json:"grant_type"`
}

type tokenAnswer struct {
	Token   string `json:"access_token"`
	Type    string `json:"token_type"`
	Expires int64  `json:"expires_in"` // seconds
}

// token exchanges a client's secret for an access token (RFC 6749 section
// 4.4). A client that is not known and a wrong secret have the same answer, so
// that nobody finds out names.
func (a api) token(w http.ResponseWriter, r *http.Request) {
	body, err := dialect.ReadBody(w, r)
	if err != nil {
		writeError(w, err)
		return
	}
	asked, err := parseTokenRequest(body)
	if err != nil || asked.ID == "" || asked.Secret == "" {
		writeFailure(w, http.StatusBadRequest, failure{Code: codeInvalid, Message: "client_id, client_secret and grant_type are needed"})
		return
	}
	if asked.Grant != "client_credentials" {
		writeFailure(w, http.StatusBadRequest, failure{Code: codeInvalid, Message: "the grant_type must be client_credentials"})
		return
	}
	creds := a.Client(r)
	creds.Token, creds.Listener = asked.Secret, control.AdminListener
	grant, err := a.Control.Exchange(creds)
	if err != nil || asked.ID != grant.Name && (asked.ID != grant.ID || grant.ID == "") {
		writeFailure(w, http.StatusNotFound, failure{Code: codeNotFound, Message: "there is no client with this id and secret"})
		return
	}
	now := a.Now()
	end := now.Add(lifetime)
	if !grant.Expires.IsZero() && grant.Expires.Before(end) {
		end = grant.Expires
	}
	dialect.WriteJSON(w, http.StatusOK, tokenAnswer{
		Token: a.Key.sign(claims{Issuer: issuer, Subject: grant.Name, Issued: now.Unix(), Expires: end.Unix(), Grant: grant.Ref}),
		Type:  "bearer", Expires: end.Unix() - now.Unix(),
	})
}

// parseTokenRequest reads JSON or, as the standard has it, a form.
func parseTokenRequest(body []byte) (t tokenRequest, err error) {
	if body = bytes.TrimSpace(body); len(body) > 0 && body[0] == '{' {
		return t, json.Unmarshal(body, &t)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return t, errors.New("the body is neither JSON nor a form")
	}
	return tokenRequest{ID: form.Get("client_id"), Secret: form.Get("client_secret"), Grant: form.Get("grant_type")}, nil
}
