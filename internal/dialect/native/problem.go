package native

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/purge"
)

// problems are the kinds of problem by the error that causes them, the first
// that matches. Their types are relative references: what names a kind must not
// depend on where a node happens to run.
var problems = [...]struct {
	cause error
	kind  api.Problem
}{
	{control.ErrTokenExpired, api.Problem{
		Type: "/problems/token-expired", Title: "Token expired", Status: http.StatusUnauthorized,
		Next: "create a new one with POST " + api.PathTokens + " (rescind token create), or in the configuration",
	}},
	{control.ErrUnauthenticated, api.Problem{
		Type: "/problems/unauthenticated", Title: "Credentials are missing or invalid", Status: http.StatusUnauthorized,
		Next: "send a token as Authorization: Bearer (rescind: --token or RESCIND_TOKEN); what needs none is allowed from the node's own host only",
	}},
	{control.ErrForbidden, api.Problem{
		Type: "/problems/forbidden", Title: "Not allowed with this token", Status: http.StatusForbidden,
		Next: "use a token with that scope and service, or add them to this one in the configuration",
	}},
	{control.ErrUnknownService, api.Problem{
		Type: "/problems/unknown-service", Title: "Unknown service", Status: http.StatusNotFound,
		Next: "GET " + api.PathServices + " lists the services and their domains (rescind services; --service ID names one)",
	}},
	{control.ErrUnknownPurge, api.Problem{
		Type: "/problems/unknown-purge", Title: "Unknown purge", Status: http.StatusNotFound,
		Next: "GET " + api.PathPurges + " lists the purges that this node has receipts of (rescind purges)",
	}},
	{purge.ErrBadID, api.Problem{
		Type: "/problems/unknown-purge", Title: "Unknown purge", Status: http.StatusNotFound,
		Next: "GET " + api.PathPurges + " lists the purges that this node has receipts of (rescind purges)",
	}},
	{control.ErrTooLate, api.Problem{
		Type: "/problems/too-late", Title: "Too late to revert", Status: http.StatusConflict,
		Next: "what was purged is fetched again as it is asked for; nothing needs to be done",
	}},
	{control.ErrTooManyKeys, api.Problem{
		Type: "/problems/too-many", Title: "Too many selectors in one purge", Status: http.StatusBadRequest,
		Next: "split them over several purges",
	}},
	{purge.ErrBadSelector, api.Problem{
		Type: "/problems/bad-selector", Title: "Bad selector", Status: http.StatusBadRequest,
		Next: "correct it; nothing was purged",
	}},
	{control.ErrKeyReused, api.Problem{
		Type: "/problems/key-reused", Title: "Idempotency key reused", Status: http.StatusUnprocessableEntity,
		Next: "send another " + api.HeaderIdempotencyKey + " with another purge; nothing was purged",
	}},
	{control.ErrUnknownToken, api.Problem{
		Type: "/problems/unknown-token", Title: "Unknown token", Status: http.StatusNotFound,
		Next: "GET " + api.PathTokens + " lists the tokens (rescind token list); those of the configuration are removed there",
	}},
	{control.ErrTokenConflict, api.Problem{
		Type: "/problems/token-conflict", Title: "Token cannot be created", Status: http.StatusConflict,
		Next: "choose another name, or revoke tokens that nobody needs",
	}},
	{control.ErrNoDataDir, api.Problem{
		Type: "/problems/no-data-dir", Title: "No data directory", Status: http.StatusNotImplemented,
		Next: "set node.data_dir, or put the token into the configuration",
	}},
	{control.ErrNotSaved, api.Problem{
		Type: "/problems/not-saved", Title: "Change not saved", Status: http.StatusInternalServerError,
		Next: "look at the data directory's disk and permissions, then send it again; until that is written, what was asked for is in force and would not survive a restart",
	}},
	{control.ErrBusy, api.Problem{
		Type: "/problems/busy", Title: "Too many purges under way", Status: http.StatusServiceUnavailable,
		Next: "send it again in a second; nothing was purged",
	}},
	{control.ErrUnavailable, api.Problem{
		Type: "/problems/unavailable", Title: "Nothing can be recorded", Status: http.StatusServiceUnavailable,
		Next: "send it to another node; nothing was purged",
	}},
	{ErrNoCluster, api.Problem{
		Type: "/problems/no-cluster", Title: "No cluster", Status: http.StatusNotFound,
		Next: "the section cluster of the configuration says with whom the node shares purges",
	}},
	{ErrUnknownMember, api.Problem{
		Type: "/problems/unknown-member", Title: "Unknown member", Status: http.StatusNotFound,
		Next: "GET " + api.PathMembers + " lists the members (rescind cluster members)",
	}},
	{ErrMemberAlive, api.Problem{
		Type: "/problems/member-alive", Title: "The member is alive", Status: http.StatusConflict,
		Next: "POST " + api.PathLeave + " to that member (rescind cluster leave), then stop it; " +
			"if its machine has gone, wait until it is listed as absent, some 10 to 20 seconds, and try again",
	}},
	{ErrNotRecorded, api.Problem{
		Type: "/problems/not-recorded", Title: "The change of members was not recorded", Status: http.StatusServiceUnavailable,
		Next: "send it again once another member can be reached; or stop the node, and have another member forget it",
	}},
	{errFilter, api.Problem{
		Type: "/problems/bad-filter", Title: "Bad filter", Status: http.StatusBadRequest,
		Next: "correct it, or leave it out for all lines",
	}},
	{ErrTooManyTails, api.Problem{
		Type: "/problems/too-many-tails", Title: "Too many readers of the log", Status: http.StatusServiceUnavailable,
		Next: "end another one first",
	}},
	{dialect.ErrBodyTimeout, api.Problem{
		Type: "/problems/body-timeout", Title: "Request body too slow", Status: http.StatusRequestTimeout,
		Next: "send it again; nothing was done",
	}},
	{dialect.ErrBodyTooLarge, api.Problem{
		Type: "/problems/too-large", Title: "Request body too large", Status: http.StatusRequestEntityTooLarge,
		Next: "split it over several purges",
	}},
	{errContentType, api.Problem{
		Type: "/problems/content-type", Title: "Unsupported content type", Status: http.StatusUnsupportedMediaType,
		Next: "send Content-Type: " + api.ContentType,
	}},
}

// badRequestKind is the kind of every other error.
var badRequestKind = api.Problem{
	Type: "/problems/bad-request", Title: "Bad request", Status: http.StatusBadRequest,
	Next: "correct it; nothing was done",
}

// problemOf returns the problem that an error is, and sets the header fields
// that go with it.
func problemOf(w http.ResponseWriter, err error) api.Problem {
	var limited *control.LimitedError
	if errors.As(err, &limited) {
		return limitedProblem(w, limited)
	}
	if errors.Is(err, control.ErrUnauthenticated) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="rescind"`)
	}
	if errors.Is(err, control.ErrBusy) || errors.Is(err, control.ErrUnavailable) {
		w.Header().Set("Retry-After", "1")
	}
	for _, p := range problems {
		if errors.Is(err, p.cause) {
			p.kind.Detail = err.Error()
			return p.kind
		}
	}
	p := badRequestKind
	p.Detail = err.Error()
	return p
}

func limitedProblem(w http.ResponseWriter, limited *control.LimitedError) api.Problem {
	wait := limited.Seconds()
	w.Header().Set("Retry-After", strconv.FormatInt(wait, 10))
	return api.Problem{
		Type: "/problems/limited", Title: "Too many purges", Status: http.StatusTooManyRequests,
		Detail: limited.Error(), Next: fmt.Sprintf("send it again in %d s; nothing was purged", wait),
	}
}

func noSuchPath(routes []route) api.Problem {
	var patterns []string
	for _, r := range routes {
		patterns = append(patterns, r.pattern)
	}
	return api.Problem{
		Type: "about:blank", Title: "Not Found", Status: http.StatusNotFound,
		Next: "the paths are " + strings.Join(patterns, ", "),
	}
}

func wrongMethod(w http.ResponseWriter, e endpoint) api.Problem {
	methods := slices.Sorted(maps.Keys(e))
	w.Header().Set("Allow", strings.Join(methods, ", "))
	return api.Problem{
		Type: "about:blank", Title: "Method Not Allowed", Status: http.StatusMethodNotAllowed,
		Next: "use " + strings.Join(methods, " or "),
	}
}

func writeProblem(w http.ResponseWriter, p api.Problem) {
	w.Header().Set("Content-Type", api.ProblemContentType)
	write(w, p.Status, p)
}
