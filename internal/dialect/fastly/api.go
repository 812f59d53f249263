package fastly

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/purge"
)

// API returns the handler of the admin listener. It takes any Host, since
// clients that were pointed here by a proxy setting keep Fastly's, and answers
// every path that it does not know with a JSON object, which clients parse.
func API(door dialect.Door) http.Handler { return api{door} }

// headerSoft makes a purge soft by its presence.
const headerSoft = "Fastly-Soft-Purge"

// name is this dialect's in receipts and logs.
const name = "fastly"

type api struct{ dialect.Door }

func (a api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == "PURGE" {
		purgeTarget(w, r, a.Door, a.credentials(r))
		return
	}
	rt := parse(r.RequestURI)
	creds := a.credentials(r)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		setAllowance(w, a.Control.Allowance(creds, rt.service, rt.action.countsAsAPI()))
	}
	switch methods := rt.action.methods(); {
	case !slices.Contains(methods, r.Method):
		writeWrongMethod(w, methods)
	case r.Method == http.MethodPost:
		a.purge(w, r, creds, rt)
	case rt.action == tokenSelf:
		a.self(w, creds)
	default:
		a.services(w, creds, rt)
	}
}

func (a api) purge(w http.ResponseWriter, r *http.Request, creds control.Credentials, rt route) {
	if err := a.Control.Authenticate(creds, name); err != nil {
		writeError(w, err)
		return
	}
	wait, err := a.waitOf(r, rt)
	if err != nil {
		writeError(w, err)
		return
	}
	asked := asked{rt, creds, wait}
	switch rt.action {
	case purgeURL:
		a.purgeURL(w, r, asked)
	case purgeKey:
		a.purgeKey(w, r, asked)
	case purgeKeys:
		a.purgeKeys(w, r, asked)
	case purgeAll:
		a.purgeAll(w, r, asked)
	}
}

// asked is a purge that is asked for.
type asked struct {
	route
	creds control.Credentials
	wait  dialect.Wait
}

// waitOf leaves the query alone where it is part of what is purged.
func (a api) waitOf(r *http.Request, rt route) (dialect.Wait, error) {
	if rt.action == purgeURL || rt.action == purgeKey && !rt.asks {
		return a.WaitOf(r.Header, nil)
	}
	return a.WaitOf(r.Header, r.URL.Query())
}

// methods returns the methods that an action takes; none for unknown.
func (a action) methods() []string {
	switch a {
	case unknown:
		return nil
	case oneService, allServices, findService, tokenSelf:
		return []string{http.MethodGet, http.MethodHead}
	}
	return []string{http.MethodPost}
}

// countsAsAPI tells whether an action counts against the limit on calls to the
// API, which purges of everything are, or against the one on all other purges.
func (a action) countsAsAPI() bool {
	return a != purgeURL && a != purgeKey && a != purgeKeys
}

func (a api) credentials(r *http.Request) control.Credentials {
	return a.Credentials(r, control.AdminListener)
}

func (a api) purgeURL(w http.ResponseWriter, r *http.Request, q asked) {
	selector, err := purge.URL(bothSchemes(q.rest))
	if err != nil {
		writeError(w, err)
		return
	}
	receipt, err := a.Control.Purge(q.creds, request(r, "", selector))
	if err != nil {
		writeError(w, err)
		return
	}
	setAllowance(w, a.Control.Allowance(q.creds, receipt.Service, false))
	writePurged(w, receipt, a.Confirm(w, r, q.wait, receipt.Entry))
}

func (a api) purgeKey(w http.ResponseWriter, r *http.Request, q asked) {
	selector, err := purge.Key(q.rest)
	if err != nil {
		writeError(w, err)
		return
	}
	receipt, err := a.Control.Purge(q.creds, request(r, q.service, selector))
	if err != nil {
		writeError(w, err)
		return
	}
	setKeyCount(w, 1)
	setAllowance(w, a.Control.Allowance(q.creds, receipt.Service, false))
	writePurged(w, receipt, a.Confirm(w, r, q.wait, receipt.Entry))
}

func (a api) purgeAll(w http.ResponseWriter, r *http.Request, q asked) {
	receipt, err := a.Control.Purge(q.creds, request(r, q.service, purge.All()))
	if err != nil {
		writeError(w, err)
		return
	}
	setAllowance(w, a.Control.Allowance(q.creds, q.service, true))
	setIDs(w, receipt)
	writeStatus(w, "", a.Confirm(w, r, q.wait, receipt.Entry))
}

// request is a purge of a service, or of the selectors' hosts where service is
// empty, soft where the header says so.
func request(r *http.Request, service string, selectors ...purge.Selector) control.Request {
	req := control.Request{Service: service, Selectors: selectors, Dialect: name}
	if _, soft := r.Header[headerSoft]; soft {
		req.Effect = purge.SoftEffect()
	}
	return req
}

// setKeyCount sets the fields that answers about keys have: how many there
// were, and a rate of purges which this API's own answers give as 0.
func setKeyCount(w http.ResponseWriter, n int) {
	w.Header().Set("Fastly-Surrogate-Key-Count", strconv.Itoa(n))
	w.Header().Set("Fastly-Instant-Rate", "0")
}
