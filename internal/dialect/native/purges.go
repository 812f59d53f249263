package native

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/purge"
)

func (h handler) purge(w http.ResponseWriter, r *http.Request, c call) error {
	if err := h.Control.Authenticate(c.creds, name); err != nil {
		return err
	}
	wait, err := h.WaitOf(r.Header, r.URL.Query())
	if err != nil {
		return err
	}
	req, err := readPurge(w, r)
	if err != nil {
		return err
	}
	if req.IdempotencyKey, err = idempotencyKey(r.Header); err != nil {
		return err
	}
	receipt, err := h.Control.Purge(c.creds, req)
	if err != nil {
		return err
	}
	if receipt.Replayed {
		w.Header().Set(api.HeaderIdempotentReplay, "true")
	}
	confirmed, answer := h.Confirm(w, r, wait, receipt.Entry), receiptOf(receipt)
	if confirmed.Waited() {
		answer.Confirmations = h.confirmations(r, receipt)
	}
	status := http.StatusOK
	if !confirmed.Complete() {
		status = http.StatusAccepted
		w.Header().Set("Location", api.PathPurges+"/"+answer.ID)
	}
	writeJSON(w, status, answer)
	return nil
}

// settled waits as Confirm does and returns the status of the answer: that of a
// success, or 202 where somebody is missing.
func (h handler) settled(w http.ResponseWriter, r *http.Request, wait dialect.Wait, success int, entry control.EntryID) int {
	if h.Confirm(w, r, wait, entry).Complete() {
		return success
	}
	return http.StatusAccepted
}

// confirmations returns nil where nobody is there to confirm.
func (h handler) confirmations(r *http.Request, receipt control.Receipt) *api.Confirmations {
	if h.Confirmations == nil {
		return nil
	}
	return h.Confirmations(r.Context(), receipt)
}

// idempotencyKey returns the key of a request, "" where it has none. An empty
// one is a mistake of a script, which believes to be safe.
func idempotencyKey(h http.Header) (string, error) {
	values := h.Values(api.HeaderIdempotencyKey)
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || values[0] == "" {
		return "", badRequest("%s must have one value", api.HeaderIdempotencyKey)
	}
	return values[0], nil
}

func (h handler) recent(w http.ResponseWriter, r *http.Request, c call) error {
	reader, err := h.Control.Reader(c.creds)
	if err != nil {
		return err
	}
	limit, err := limitOf(r, api.DefaultListed, api.MaxListed)
	if err != nil {
		return err
	}
	list := api.List{Purges: []api.Receipt{}}
	for _, receipt := range reader.Recent(limit) {
		list.Purges = append(list.Purges, receiptOf(receipt))
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

// limitOf returns the parameter that bounds a listing.
func limitOf(r *http.Request, absent, most int) (int, error) {
	text := r.URL.Query().Get(api.QueryLimit)
	if text == "" {
		return absent, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > most {
		return 0, badRequest("%s must be a number from 1 to %d", api.QueryLimit, most)
	}
	return limit, nil
}

func (h handler) receipt(w http.ResponseWriter, r *http.Request, c call) error {
	reader, err := h.Control.Reader(c.creds)
	if err != nil {
		return err
	}
	id, err := purge.ParseID(c.id)
	if err != nil {
		return err
	}
	receipt, err := reader.Find(r.Context(), id)
	if err != nil {
		return err
	}
	answer := receiptOf(receipt)
	answer.Confirmations = h.confirmations(r, receipt)
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (h handler) revert(w http.ResponseWriter, r *http.Request, c call) error {
	if err := h.Control.Authenticate(c.creds, name); err != nil {
		return err
	}
	wait, err := h.WaitOf(r.Header, r.URL.Query())
	if err != nil {
		return err
	}
	id, err := purge.ParseID(c.id)
	if err != nil {
		return err
	}
	reverted, err := h.Control.Revert(c.creds, id)
	if errors.Is(err, control.ErrUnknownPurge) {
		err = h.whereToRevert(r, c, id, err)
	}
	if err != nil {
		return err
	}
	writeJSON(w, h.settled(w, r, wait, http.StatusOK, reverted.Entry), revertOf(reverted))
	return nil
}

// whereToRevert says which node can take a purge back that was accepted while
// this one was down, as far as the caller may know.
func (h handler) whereToRevert(r *http.Request, c call, id purge.ID, unknown error) error {
	reader, err := h.Control.Reader(c.creds)
	if err != nil {
		return unknown
	}
	receipt, err := reader.Find(r.Context(), id)
	if err != nil || receipt.Node == "" {
		return unknown
	}
	return fmt.Errorf("%w; it was accepted on %s while this node was not there: revert it on that one", unknown, receipt.Node)
}
