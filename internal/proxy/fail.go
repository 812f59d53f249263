package proxy

import (
	"net/http"
	"strconv"
)

// problem is an answer of our own: why the request has no other.
type problem struct {
	status int
	reason string
}

// refuse makes the exchange end with an answer of our own.
func (x *exchange) refuse(status int, reason string) state {
	x.problem = problem{status, reason}
	return stateError
}

// fail writes an answer of our own.
func (x *exchange) fail() state {
	x.outcome = outcomeError
	x.p.stats.Errors.Add(1)
	x.deadline()
	text := ""
	if x.problem.reason != "" && x.problem.status != http.StatusNoContent {
		text = strconv.Itoa(x.problem.status) + " " + http.StatusText(x.problem.status) + "\n" + x.problem.reason + "\n"
	}
	h := x.w.Header()
	reset(h)
	h["Content-Type"] = []string{"text/plain; charset=utf-8"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["Cache-Control"] = []string{"no-store"}
	switch x.problem.status {
	case http.StatusMethodNotAllowed:
		h["Allow"] = []string{"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}
	case http.StatusNoContent:
		delete(h, "Content-Type")
		h["Allow"] = []string{"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}
	}
	x.setNodeFields(h)
	if text != "" {
		h["Content-Length"] = []string{strconv.Itoa(len(text))}
	}
	x.w.WriteHeader(x.problem.status)
	if x.r.Method != http.MethodHead && text != "" {
		x.w.Write([]byte(text))
	}
	return stateDone
}
