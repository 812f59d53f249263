package native

import (
	"net/http"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
)

func (h handler) createToken(w http.ResponseWriter, r *http.Request, c call) error {
	if err := h.Control.MayManageTokens(c.creds); err != nil {
		return err // before its body is read and judged
	}
	wait, err := h.WaitOf(r.Header, r.URL.Query())
	if err != nil {
		return err
	}
	body, err := readJSON[api.NewToken](w, r)
	if err != nil {
		return err
	}
	spec, err := specOf(body, time.Now())
	if err != nil {
		return err
	}
	info, secret, err := h.Control.CreateToken(c.creds, spec)
	if err != nil {
		return err
	}
	w.Header().Set("Location", api.PathTokens+"/"+info.ID)
	writeJSON(w, h.settled(w, r, wait, http.StatusCreated, info.Entry), api.CreatedToken{Token: tokenOf(info), Value: secret})
	return nil
}

func specOf(t api.NewToken, now time.Time) (control.NewTokenSpec, error) {
	spec := control.NewTokenSpec{Name: t.Name, Services: t.Services}
	for _, s := range t.Scopes {
		spec.Scopes = append(spec.Scopes, string(s))
	}
	switch {
	case t.Expires != nil && t.ExpiresIn != nil:
		return spec, badRequest("give expires or expires_in, not both")
	case t.Expires != nil:
		spec.Expires = t.Expires.UTC()
	case t.ExpiresIn != nil:
		spec.Expires = now.Add(time.Duration(*t.ExpiresIn)).UTC()
	}
	return spec, nil
}

func (h handler) tokens(w http.ResponseWriter, _ *http.Request, c call) error {
	infos, err := h.Control.ListTokens(c.creds)
	if err != nil {
		return err
	}
	list := api.Tokens{Tokens: []api.Token{}}
	for _, info := range infos {
		list.Tokens = append(list.Tokens, tokenOf(info))
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

func (h handler) revokeToken(w http.ResponseWriter, r *http.Request, c call) error {
	if err := h.Control.MayManageTokens(c.creds); err != nil {
		return err
	}
	wait, err := h.WaitOf(r.Header, r.URL.Query())
	if err != nil {
		return err
	}
	entry, err := h.Control.RevokeToken(c.creds, c.id)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(h.settled(w, r, wait, http.StatusNoContent, entry))
	return nil
}

func tokenOf(info control.TokenInfo) api.Token {
	t := api.Token{
		ID: info.ID, Name: info.Name, Source: api.TokenCreated, Services: info.Services, Expired: info.Expired,
		Created: instant(info.Created), Expires: instant(info.Expires), LastUsed: instant(info.LastUsed),
	}
	if info.ID == "" {
		t.Source = api.TokenConfigured
	}
	for _, name := range info.Scopes.Names() {
		t.Scopes = append(t.Scopes, api.Scope(name))
	}
	return t
}

// instant returns nil for no instant.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
