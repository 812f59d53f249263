package stackpath

import (
	"fmt"
	"net/http"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
)

// stack is a service as clients look one up.
type stack struct {
	ID        string `json:"id"`
	AccountID string `json:"accountId"`
	Slug      string `json:"slug"`
	Name      string `json:"name"`
	Status    string `json:"status"`
}

type stackList struct {
	Pages struct {
		Total    string `json:"totalCount"`
		Previous bool   `json:"hasPreviousPage"`
		Next     bool   `json:"hasNextPage"`
	} `json:"pageInfo"`
	Results []stack `json:"results"`
}

func describe(id string) stack {
	return stack{ID: id, AccountID: id, Slug: id, Name: id, Status: "ACTIVE"}
}

func (a api) reader(r *http.Request) (control.Reader, error) {
	creds, err := a.credentials(r)
	if err != nil {
		return control.Reader{}, err
	}
	return a.Control.Reader(creds)
}

func (a api) stack(w http.ResponseWriter, r *http.Request, id string) {
	reader, err := a.reader(r)
	if err != nil {
		writeError(w, err)
		return
	}
	for _, s := range reader.Services() {
		if s.ID == id {
			dialect.WriteJSON(w, http.StatusOK, describe(id))
			return
		}
	}
	writeError(w, fmt.Errorf("%w %q", control.ErrUnknownService, id))
}

func (a api) stacks(w http.ResponseWriter, r *http.Request) {
	reader, err := a.reader(r)
	if err != nil {
		writeError(w, err)
		return
	}
	list := stackList{Results: []stack{}}
	for _, s := range reader.Services() {
		list.Results = append(list.Results, describe(s.ID))
	}
	list.Pages.Total = fmt.Sprint(len(list.Results))
	dialect.WriteJSON(w, http.StatusOK, list)
}
