package cloudflare

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
)

// envelope is every answer.
type envelope struct {
	Result   any       `json:"result"`
	Success  bool      `json:"success"`
	Errors   []problem `json:"errors"`
	Messages []problem `json:"messages"`
	Pages    *pages    `json:"result_info,omitempty"`
}

type problem struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

type pages struct {
	Page       int `json:"page"`
	PerPage    int `json:"per_page"`
	Count      int `json:"count"`
	TotalCount int `json:"total_count"`
	TotalPages int `json:"total_pages"`
}

// What failures say, by the codes that clients know.
var (
	noCredentials = problem{9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"}
	notAuthentic  = problem{10000, "Authentication error"}
	notAllowed    = problem{9109, "Unauthorized to access requested resource"}
	tooFast       = problem{971, "Please wait and consider throttling your request speed"}
	wrongMethod   = problem{10405, "Method not allowed"}
)

const (
	codeNoRoute = 7003
	codeFailed  = 10001 // the node could not carry it out
)

func writeResult(w http.ResponseWriter, result any, p *pages) {
	dialect.WriteJSON(w, http.StatusOK, envelope{Result: result, Success: true, Errors: []problem{}, Messages: []problem{}, Pages: p})
}

func writeProblem(w http.ResponseWriter, status int, p problem) {
	dialect.WriteJSON(w, status, envelope{Errors: []problem{p}, Messages: []problem{}})
}

func writeError(w http.ResponseWriter, r *http.Request, creds control.Credentials, err error) {
	var limited *control.LimitedError
	var bad *apiError
	failed, own := dialect.Failed(err)
	switch {
	case own:
		writeProblem(w, failed, problem{codeFailed, err.Error()})
	case errors.Is(err, control.ErrUnauthenticated):
		w.Header().Set("WWW-Authenticate", `Bearer realm="rescind"`)
		p := notAuthentic
		if creds.Token == "" {
			p = noCredentials
		}
		writeProblem(w, http.StatusUnauthorized, p)
	case errors.Is(err, control.ErrForbidden):
		writeProblem(w, http.StatusForbidden, notAllowed)
	case errors.Is(err, control.ErrUnknownService):
		writeUnknown(w, r)
	case errors.As(err, &limited):
		w.Header().Set("Retry-After", strconv.FormatInt(limited.Seconds(), 10))
		writeProblem(w, http.StatusTooManyRequests, tooFast)
	case errors.Is(err, dialect.ErrBodyTooLarge):
		writeProblem(w, http.StatusRequestEntityTooLarge, problem{codeNothing, err.Error()})
	case errors.Is(err, dialect.ErrBodyTimeout):
		writeProblem(w, http.StatusRequestTimeout, problem{codeNothing, err.Error()})
	case errors.As(err, &bad):
		writeProblem(w, http.StatusBadRequest, problem{bad.code, bad.text})
	default:
		writeProblem(w, http.StatusBadRequest, problem{codeSelector, "Unable to purge: " + err.Error()})
	}
}

func writeUnknown(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	const most = 200
	if len(path) > most {
		path = path[:most] + "…"
	}
	writeProblem(w, http.StatusNotFound, problem{codeNoRoute, "Could not route to " + path + ", perhaps your object identifier is invalid?"})
}

func writeWrongMethod(w http.ResponseWriter, allow string) {
	w.Header().Set("Allow", allow)
	writeProblem(w, http.StatusMethodNotAllowed, wrongMethod)
}
