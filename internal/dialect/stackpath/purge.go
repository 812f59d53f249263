package stackpath

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/purge"
)

type purged struct {
	ID string `json:"id"`
}

// purge carries out all items of a body, or none.
func (a api) purge(w http.ResponseWriter, r *http.Request, stack string) {
	receipts, err := a.purgeItems(w, r, stack)
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set(dialect.HeaderPurge, dialect.IDs(receipts))
	dialect.WriteJSON(w, http.StatusOK, purged{joinIDs(receipts)})
}

func (a api) purgeItems(w http.ResponseWriter, r *http.Request, stack string) ([]control.Receipt, error) {
	creds, err := a.credentials(r)
	if err != nil {
		return nil, err
	}
	if err := a.Control.Authenticate(creds, Name); err != nil {
		return nil, err
	}
	text, err := dialect.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	items, err := parse(text)
	if err != nil {
		return nil, err
	}
	requests, err := requestsOf(stack, items)
	if err != nil {
		return nil, err
	}
	account, err := a.Control.Account(creds)
	if err != nil {
		return nil, err
	}
	if wait := a.Quota.Take(account, len(items), a.Now()); wait > 0 {
		return nil, a.Control.Refuse(creds, stack, Name, &control.LimitedError{RetryAfter: wait, Limit: "URIs by this account a minute"})
	}
	receipts, _, err := a.Door.Purge(w, r, r.URL.Query(), creds, requests...)
	return receipts, err
}

// requestsOf returns items as purges: those to be removed, and those to be
// marked stale.
func requestsOf(stack string, items []item) ([]control.Request, error) {
	var hard, soft []purge.Selector
	for i, item := range items {
		selectors, err := item.selected()
		if err != nil {
			return nil, fmt.Errorf("items[%d]: %w", i, err)
		}
		if item.Invalidate {
			soft = append(soft, selectors...)
		} else {
			hard = append(hard, selectors...)
		}
	}
	request := control.Request{Service: stack, Dialect: Name}
	requests := dialect.Split(request, hard)
	request.Effect = purge.SoftEffect()
	return append(requests, dialect.Split(request, soft)...), nil
}

// separator stands between the ids of the purges that one call became.
const separator = "-"

func joinIDs(receipts []control.Receipt) string {
	return strings.ReplaceAll(dialect.IDs(receipts), ", ", separator)
}

type progress struct {
	Progress float64 `json:"progress"` // 0 to 1
}

// progress tells how far a call has come: the part of the nodes that have
// applied its purges.
func (a api) progress(w http.ResponseWriter, r *http.Request, stack, id string) {
	creds, err := a.credentials(r)
	var reader control.Reader
	if err == nil {
		reader, err = a.Control.Reader(creds)
	}
	applied, nodes := 0, 0
	for text := range strings.SplitSeq(id, separator) {
		if err != nil {
			break
		}
		var n, of int
		n, of, err = a.reached(r, reader, stack, text)
		applied, nodes = applied+n, nodes+of
	}
	if err != nil {
		writeError(w, err)
		return
	}
	dialect.WriteJSON(w, http.StatusOK, progress{float64(applied) / float64(max(nodes, 1))})
}

func (a api) reached(r *http.Request, reader control.Reader, stack, text string) (applied, nodes int, err error) {
	id, err := purge.ParseID(text)
	if err != nil {
		return 0, 0, control.ErrUnknownPurge
	}
	receipt, err := reader.Find(r.Context(), id)
	if err == nil && receipt.Service != stack {
		err = control.ErrUnknownPurge
	}
	if err != nil {
		return 0, 0, err
	}
	applied, nodes = a.Reach.Reached(r.Context(), receipt)
	return applied, nodes, nil
}
