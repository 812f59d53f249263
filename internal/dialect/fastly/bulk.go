package fastly

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/purge"
)

// maxHeaderKeys bounds the keys of one Surrogate-Key header. Clients put more
// than purge.MaxKeys there, so they are carried out in batches; sixteen batches
// are more than a header of the usual limits can hold of ordinary keys.
const maxHeaderKeys = 16 * purge.MaxKeys

// purgeKeys purges the keys that header and body name together. Each batch is
// one purge with one id. A batch that is refused for the service's limit ends
// the call: those before it stand, and the client repeats all, which is
// harmless.
func (a api) purgeKeys(w http.ResponseWriter, r *http.Request, q asked) {
	selectors, err := bulkSelectors(w, r)
	if err != nil {
		writeError(w, err)
		return
	}
	var ids []keyID
	var receipts []control.Receipt
	for rest := selectors; len(rest) > 0; {
		batch := rest[:min(len(rest), purge.MaxKeys)]
		rest = rest[len(batch):]
		receipt, err := a.Control.Purge(q.creds, request(r, q.service, batch...))
		if err != nil {
			writeError(w, err)
			return
		}
		receipts = append(receipts, receipt)
		for _, s := range batch {
			ids = append(ids, keyID{s.Key, receipt.ID.String()})
		}
	}
	setIDs(w, receipts...)
	setKeyCount(w, len(selectors))
	setAllowance(w, a.Control.Allowance(q.creds, q.service, false))
	a.Confirm(w, r, q.wait, control.Entries(receipts...)...) // its header says it all: every member of the body is taken for a key
	writeKeyIDs(w, ids)
}

// bulkSelectors reads the keys of a request, each once, in their order. The
// content type does not matter: some clients send a body without one, others
// one without a body.
func bulkSelectors(w http.ResponseWriter, r *http.Request) ([]purge.Selector, error) {
	body, err := dialect.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	keys, err := bodyKeys(body)
	if err != nil {
		return nil, err
	}
	named := headerKeys(r.Header)
	if len(named) > maxHeaderKeys {
		return nil, fmt.Errorf("%w: %d in the header; the limit is %d", control.ErrTooManyKeys, len(named), maxHeaderKeys)
	}
	return keySelectors(append(keys, named...))
}

func keySelectors(keys []string) ([]purge.Selector, error) {
	var selectors []purge.Selector
	seen := make(map[string]bool, len(keys))
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key] = true
		s, err := purge.Key(key)
		if err != nil {
			return nil, err
		}
		selectors = append(selectors, s)
	}
	if len(selectors) == 0 {
		return nil, fmt.Errorf(`%w: no keys; send Surrogate-Key or {"surrogate_keys":[…]}`, control.ErrBadRequest)
	}
	return selectors, nil
}

// headerKeys returns the keys of all Surrogate-Key fields, which spaces
// separate.
func headerKeys(h http.Header) []string {
	return strings.Fields(strings.Join(h.Values("Surrogate-Key"), " "))
}

// bodyKeys returns the keys of a body: nothing, or one JSON object. Members
// that it does not know are ignored.
func bodyKeys(body []byte) ([]string, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	var bulk struct {
		Keys []string `json:"surrogate_keys"`
	}
	if err := json.Unmarshal(body, &bulk); err != nil {
		return nil, fmt.Errorf(`%w: the body must be {"surrogate_keys":["a","b"]}: %w`, control.ErrBadRequest, err)
	}
	if len(bulk.Keys) > purge.MaxKeys {
		return nil, fmt.Errorf("%w: %d; the limit is %d", control.ErrTooManyKeys, len(bulk.Keys), purge.MaxKeys)
	}
	return bulk.Keys, nil
}
