package fastly

import (
	"cmp"
	"net/http"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
)

// token is a token as clients look at their own.
type token struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scope     string     `json:"scope"` // names, separated by spaces
	Services  []string   `json:"services"`
	CreatedAt *time.Time `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"` // null: never
}

func (a api) self(w http.ResponseWriter, creds control.Credentials) {
	info, err := a.Control.Self(creds)
	if err != nil {
		writeError(w, err)
		return
	}
	dialect.WriteJSON(w, http.StatusOK, token{
		ID: cmp.Or(info.ID, info.Name), Name: info.Name, Scope: info.Scopes.String(),
		Services:  append([]string{}, info.Services...),
		CreatedAt: instant(info.Created), ExpiresAt: instant(info.Expires),
	})
}

// instant returns nil, which is written as null, for no instant.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
